/**
 * Queries over GET, alone or in a batch, answered as tRPC's own `resolveResponse` answers them: by tRPC's public functions,
 * without the streams and the signals of each call that queries do not need (docs/decisions/0011).
 */
import {
  type AnyTRPCRouter,
  getTRPCErrorFromUnknown,
  getTRPCErrorShape,
  type inferRouterContext,
  TRPCError,
  type TRPCErrorShape,
} from "@trpc/server";
import { getHTTPStatusCode } from "@trpc/server/http";
import type { HonoRequest } from "hono";
import { isAsyncIterable } from "../trpc/is-async-iterable.ts";

/** What is asked: paths that are queries, and their inputs as they were sent. */
export interface Queries {
  readonly paths: readonly string[];
  readonly isBatch: boolean;
  readonly input: string | null;
}

/** What is answered: a body for JSON, and the errors in it. */
export interface QueriesAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly errors: readonly TRPCError[];
}

type FailureListener = (failure: { readonly error: TRPCError; readonly path: string }) => void;

/** Reads a request for queries; `null` for every other, which is `resolveResponse`'s: it says what is wrong with some. */
export function readQueries(
  router: AnyTRPCRouter,
  request: HonoRequest,
  { path, maxBatchSize }: { readonly path: string; readonly maxBatchSize: number },
): Queries | null {
  if (request.method !== "GET" || request.header("trpc-accept") !== undefined) return null;
  if (request.header("content-type") !== undefined || request.header("accept")?.includes("jsonl")) return null;
  const searchAt = request.url.indexOf("?");
  const parameters = searchAt === -1 ? null : new URLSearchParams(request.url.slice(searchAt));
  if (parameters?.has("connectionParams")) return null;
  const isBatch = parameters?.get("batch") === "1";
  const paths = isBatch ? path.split(",") : [path];
  const { procedures, _config } = router._def;
  // A separator of the application's own is read by tRPC alone, and earlier releases of it know of none. What is loaded lazily
  // is not there before.
  const { pathSeparator = "." }: { pathSeparator?: string } = _config;
  const areQueries = paths.every((each) => procedures[each]?._def.type === "query");
  if (!areQueries || paths.length > maxBatchSize || pathSeparator !== ".") return null;
  return { paths, isBatch, input: parameters?.get("input") ?? null };
}

/** Calls them, and answers when all are done. Throws what the transformer throws. */
export async function answerQueries<Router extends AnyTRPCRouter>(
  router: Router,
  { paths, isBatch, input }: Queries,
  options: {
    readonly context: inferRouterContext<Router>;
    readonly signal: AbortSignal;
    readonly onFailure: FailureListener;
  },
): Promise<QueriesAnswer> {
  const { context: ctx, signal, onFailure } = options;
  const { procedures, _config: config } = router._def;
  const { input: incoming, output: outgoing } = config.transformer;
  const inputs = readerOf(input, { count: isBatch ? paths.length : null, deserialize: incoming.deserialize });
  const type = "query";

  async function call(path: string, batchIndex: number): Promise<Outcome> {
    const getRawInput = async () => inputs.read()[batchIndex];
    try {
      const data: unknown = await procedures[path]({ path, getRawInput, ctx, type, signal, batchIndex });
      if (isStream(data)) throw new TRPCError({ code: "UNSUPPORTED_MEDIA_TYPE", message: isNoStream });
      return { error: null, reply: { result: { data } } };
    } catch (cause) {
      const error = getTRPCErrorFromUnknown(cause);
      onFailure({ error, path });
      const shape = getTRPCErrorShape({ config, ctx, error, input: inputs.known()?.[batchIndex], path, type });
      return { error, reply: { error: shape } };
    }
  }

  const [only = "", ...others] = paths;
  const outcomes = others.length === 0 ? [await call(only, 0)] : await Promise.all(paths.map(call));
  const [replies, failures] = [outcomes.map(({ reply }) => reply), outcomes.map(({ error }) => error ?? undefined)];
  const errors = failures.filter((error) => error !== undefined);
  const status = errors.length === 0 ? 200 : getHTTPStatusCode(replies, failures);
  const sent = replies.map((reply) =>
    "error" in reply
      ? { error: outgoing.serialize(reply.error) }
      : { result: { data: outgoing.serialize(reply.result.data) } },
  );
  return { status, body: isBatch ? sent : sent[0], errors };
}

type Outcome =
  | { readonly error: null; readonly reply: { result: { data: unknown } } }
  | { readonly error: TRPCError; readonly reply: { error: TRPCErrorShape } };

const isNoStream = "Cannot use stream-like response in non-streaming request - use httpBatchStreamLink";

/** The inputs of a batch of so many, or of one call. Read when a procedure asks, for what it demands of its caller comes first. */
function readerOf(
  input: string | null,
  { count, deserialize }: { count: number | null; deserialize: (input: unknown) => unknown },
) {
  let known: Readonly<Record<number, unknown>> | undefined;
  let refusal: TRPCError | undefined;

  function read(): Readonly<Record<number, unknown>> {
    const parsed: unknown = input ? JSON.parse(input) : undefined;
    if (parsed === undefined) return {};
    if (count === null) return { 0: deserialize(parsed) };
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
      const message = '"input" needs to be an object when doing a batch call';
      throw new TRPCError({ code: "BAD_REQUEST", message });
    }
    const sent = parsed as Readonly<Record<number, unknown>>;
    return Array.from({ length: count }, (_, index) =>
      sent[index] === undefined ? undefined : deserialize(sent[index]),
    );
  }

  return {
    known: () => known,
    read() {
      if (refusal !== undefined) throw refusal;
      try {
        known ??= read();
        return known;
      } catch (cause) {
        const message = cause instanceof Error ? cause.message : "Invalid input";
        refusal = cause instanceof TRPCError ? cause : new TRPCError({ code: "BAD_REQUEST", message, cause });
        throw refusal;
      }
    },
  };
}

/** What only a streamed reply can carry: told by the same signs as tRPC tells it, so that a rule's `then` is no promise. */
function isStream(data: unknown): boolean {
  return (
    isRecord(data) &&
    (isAsyncIterable(data) || Object.values(data).some((value) => isPromise(value) || isAsyncIterable(value)))
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isPromise(value: unknown): boolean {
  if (!isRecord(value) && typeof value !== "function") return false;
  return "then" in value && typeof value.then === "function" && "catch" in value && typeof value.catch === "function";
}
