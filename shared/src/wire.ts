/**
 * What server and client must agree on, written once: the transformer and the shape of an error.
 */
import type { TRPC_ERROR_CODE_KEY, TRPC_ERROR_CODE_NUMBER } from "@trpc/server/rpc";
import superjson, { type SuperJSONResult } from "superjson";
import { AuthError } from "./errors.ts";
import { isPlainData } from "./plain-data.ts";
import type { Failure } from "./reasons.ts";

/** What a tRPC error from Countersign carries in `error.data`. Narrow it by `reason`; `null` means that it has none. */
export type WireErrorData = {
  /** tRPC's code for the status, as in `"UNAUTHORIZED"`. */
  readonly code: TRPC_ERROR_CODE_KEY;
  readonly httpStatus: number;
  /** The procedure that refused, as in `"notes.create"`. */
  readonly path?: string;
} & (Failure | { readonly reason: null; readonly details: null });

/** The shape of a tRPC error from Countersign. Named, so that routers' declarations stay short. */
export interface WireError {
  readonly message: string;
  readonly code: TRPC_ERROR_CODE_NUMBER;
  readonly data: WireErrorData;
}

/** The types that an input may name beyond plain JSON. A sender's RegExp, error, class or symbol would be our CPU or memory. */
const acceptedTypes = new Set(["Date", "bigint", "undefined", "map", "set"]);
/** Limits on superjson's metadata: more than any form needs, and too little to keep a processor busy. */
const maxAnnotations = 1_000;
const maxAnnotationDepth = 32;

/** A tRPC transformer with both directions apart. Named, so that declarations do not spell out superjson's types. */
export interface Transformer {
  readonly input: DirectedTransformer;
  readonly output: DirectedTransformer;
}

interface DirectedTransformer {
  serialize(value: unknown): unknown;
  deserialize(value: unknown): unknown;
}

/**
 * The tRPC transformer of both sides: superjson, strict about what comes in.
 *
 * Outputs carry whatever superjson can (`Date`, `Map`, `bigint`, …); what is plain JSON goes as it is, whatever was registered
 * with superjson. Inputs carry plain data, `Date`, `bigint`,
 * `undefined`, `Map` and `Set`; anything else is refused with `BAD_REQUEST` before it is built.
 *
 * @example
 * ```ts
 * const t = initTRPC.context<AuthContext>().create({ transformer, errorFormatter });
 * ```
 */
export const transformer: Transformer = {
  input: { serialize, deserialize: deserializeInput },
  output: { serialize, deserialize: deserializeOutput },
};

/** The same for a side that only calls, without what a server needs to be strict: for bundles of browsers. */
export const callerTransformer: Transformer = { input: superjson, output: superjson };

function serialize(value: unknown): unknown {
  // Most of what is sent. To walk it as superjson does costs as much as to verify a token.
  return isPlainData(value) ? { json: value } : superjson.serialize(value);
}

function deserializeOutput(value: SuperJSONResult): unknown {
  return superjson.deserialize(value, { inPlace: true });
}

function deserializeInput(received: unknown): unknown {
  try {
    const { json, annotations, version } = readEnvelope(received);
    const meta = annotations === undefined ? {} : { meta: { values: annotations, v: version } };
    // superjson checks paths for `__proto__` and the like; shared references are left out, so that inputs are trees.
    return superjson.deserialize({ json, ...meta } as SuperJSONResult, { inPlace: true });
  } catch (error) {
    if (error instanceof AuthError) throw error;
    throw malformed("The input is not valid superjson.");
  }
}

function readEnvelope(received: unknown) {
  if (!isRecord(received) || !("json" in received)) {
    throw malformed('The input must be a superjson envelope: {"json": …}.');
  }
  const meta = received.meta;
  if (meta === undefined) return { json: received.json };
  if (!isRecord(meta)) throw malformed('"meta" must be an object.');
  if (meta.values !== undefined) checkAnnotations(meta.values, 0, { left: maxAnnotations });
  return { json: received.json, annotations: meta.values, version: meta.v === 1 ? 1 : 0 };
}

/** A tree of annotations is `[type]`, `[type, { key: tree }]` or `{ key: tree }`. */
function checkAnnotations(tree: unknown, depth: number, budget: { left: number }): void {
  budget.left -= 1;
  if (budget.left < 0 || depth > maxAnnotationDepth) throw malformed("The input has too many type annotations.");
  if (Array.isArray(tree)) {
    const [type, children] = tree;
    if (typeof type !== "string" || !acceptedTypes.has(type)) {
      throw malformed("The input names a type that is not accepted. Send plain data, Date, bigint, Map or Set.");
    }
    if (children !== undefined) checkAnnotations(children, depth + 1, budget);
    return;
  }
  if (!isRecord(tree)) throw malformed("The input has malformed type annotations.");
  for (const child of Object.values(tree)) checkAnnotations(child, depth + 1, budget);
}

function malformed(message: string): AuthError<"BAD_REQUEST"> {
  return new AuthError("BAD_REQUEST", { issues: [{ path: [], message }] }, message);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
