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
    const isOver = result.ok && options.type !== "subscription" && !isAsyncIterable(result.data);
    return isOver ? result : shape({ ...options, next: async () => result });
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

/**
 * A builder of which this middleware is all that is left: that of `.errors` goes, which the middleware does by `shapingFailures`, and its
 * type stays. Whatever another release of tRPC has put there, the guard is never what is taken away.
 */
export function withOnly<Builder extends HasMiddlewares>(guard: AnyTRPCMiddlewareFunction, builder: Builder): Builder {
  const { middlewares } = builder._def;
  // The list is the builder's own: each builder copies that of the one before.
  middlewares.splice(0, middlewares.length, guard);
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
