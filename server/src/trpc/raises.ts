/** A procedure declares what it refuses for beside its guard: read by clients in its types, and by OpenAPI from the router. */
import type { Raised, Reason, WireError } from "@countersign/shared";
import { initTRPC, type TRPCProcedureBuilder, type TRPCUnsetMarker } from "@trpc/server";
import { errorFormatter, refusalIn } from "./errors.ts";

/** Registered, so that one copy of this package reads what another copy made. */
const raisesKey = Symbol.for("countersign.raises");

interface Raising {
  readonly [raisesKey]?: readonly Reason[];
}

/** A procedure builder that only declares reasons; `.concat()` puts it onto any other. */
export type RaisingProcedure<R extends Reason> = TRPCProcedureBuilder<
  object,
  object,
  object,
  TRPCUnsetMarker,
  TRPCUnsetMarker,
  TRPCUnsetMarker,
  TRPCUnsetMarker,
  false,
  WireError | Raised<R>
>;

/** A root without a context, so that what is made on it fits onto every other. */
const root = initTRPC.create({ errorFormatter, isDev: false });

/**
 * Declares reasons for which a procedure throws an `AuthError` itself. Clients find them in `ReasonsOf`, beside those of
 * its guard, and OpenAPI describes them.
 *
 * @example
 * ```ts
 * const removeNote = auth.protectedProcedure.concat(raises("NOT_FOUND")).mutation(() => {
 *   throw new AuthError("NOT_FOUND");
 * });
 * ```
 */
export function raises<const R extends Reason>(...declared: readonly R[]): RaisingProcedure<R> {
  const procedure = root.procedure.errors<WireError | Raised<R> | undefined>((options) =>
    refusalIn(options.error) === null ? undefined : errorFormatter(options),
  );
  for (const middleware of procedure._def.middlewares) Object.assign(middleware, { [raisesKey]: declared });
  return procedure;
}

/** Reads what a procedure declares that it raises, from its middlewares. */
export function readRaised(middlewares: readonly Raising[]): Reason[] {
  return [...new Set(middlewares.flatMap((middleware) => middleware[raisesKey] ?? []))];
}
