/**
 * What `.errors(errorFormatter)` does to a procedure, within a guard's own middleware. tRPC puts a middleware before the guard for it,
 * and copies a call's options four times for each: a tenth of what a signed-in call takes, for what most calls never need.
 */
import { type AnyTRPCMiddlewareFunction, getTRPCErrorFromUnknown, type TRPCMiddlewareFunction } from "@trpc/server";
import type { AuthContext } from "./context.ts";
import { errorFormatter, refusalIn, toTRPCError } from "./errors.ts";
import { t } from "./init.ts";
import { isAsyncIterable } from "./is-async-iterable.ts";

/** A middleware that adds `Added` to the context. */
type Middleware<Added> = TRPCMiddlewareFunction<AuthContext, object, object, Added, unknown>;

type Result = Awaited<ReturnType<AnyTRPCMiddlewareFunction>>;

/** tRPC's own, which gives a failure the shape that the formatter makes of it. */
const shape = middlewareOf(t.procedure.errors(errorFormatter));

/** A middleware whose failures, and those of all that follows it, have our shape. What fails later, as a stream may, too. */
export function shapingFailures<Added>(middleware: Middleware<Added>): Middleware<Added> {
  return async (options) => {
    const result = await settled(middleware(options));
    const mayFailLater = options.type === "subscription" || (result.ok && isAsyncIterable(result.data));
    return result.ok && !mayFailLater ? result : shape({ ...options, next: async () => result });
  };
}

/** A refusal gets its tRPC code, which decides what `createCaller` throws, wherever it was thrown. */
async function settled(running: Promise<Result>): Promise<Result> {
  const result = await running.catch(failed);
  if (result.ok) return result;
  const refusal = refusalIn(result.error);
  return refusal === null ? result : failed(toTRPCError(refusal));
}

/** As tRPC has it of what a middleware throws. The marker is a type only, for whoever forgets to return what `next` returned. */
function failed(cause: unknown): Result {
  return { ok: false, error: getTRPCErrorFromUnknown(cause) } as Result;
}

/** Takes the middleware of `.errors` from a builder that has the type of it, and does what it does by `shapingFailures`. */
export function withoutMiddlewareOfErrors<Builder extends HasMiddlewares>(builder: Builder): Builder {
  // The list is the builder's own: each builder copies that of the one before.
  builder._def.middlewares.shift();
  return builder;
}

interface HasMiddlewares {
  readonly _def: { readonly middlewares: AnyTRPCMiddlewareFunction[] };
}

function middlewareOf({ _def }: HasMiddlewares): AnyTRPCMiddlewareFunction {
  const [first] = _def.middlewares;
  if (first === undefined) throw new TypeError("this release of @trpc/server shapes errors without a middleware");
  return first;
}
