/** A subscription that ends when what its caller proved is no longer so, also while it waits for its next value. */
import type { AuthError } from "@countersign/shared";
import { isObservable, type Observable, observable } from "@trpc/server/observable";
import type { Watch } from "../flows/sessions/watch-principal.ts";
import { toTRPCError } from "./errors.ts";
import { isAsyncIterable } from "./is-async-iterable.ts";

export interface WatchOptions {
  readonly watch: Watch;
  /** Aborted when nobody waits for values any more. */
  readonly signal: AbortSignal | undefined;
  /** Told what goes wrong in a resolver when nobody is left who could be told. */
  readonly onError: (error: unknown) => void;
}

/** Watches what a subscription's resolver returned. What is neither an async iterable nor an observable stays as it is. */
export function watchSubscription(source: unknown, options: WatchOptions): unknown {
  if (isAsyncIterable(source)) return watchIterable(source, options);
  if (isObservable(source)) return watchObservable(source, options);
  return source;
}

type Result = IteratorResult<unknown, unknown>;

/**
 * By hand, and not a generator: to end a generator that waits is to wait with it. Nothing is watched before the first
 * value is asked for, so that what nobody reads holds nothing.
 */
function watchIterable(source: AsyncIterable<unknown>, options: WatchOptions): AsyncIterableIterator<unknown> {
  const { watch, signal, onError } = options;
  const iterator = source[Symbol.asyncIterator]();
  const waiting = new Set<PromiseWithResolvers<Result>>();
  let state: "new" | "open" | "over" = "new";
  let stopWatching = () => {};
  /** Why it was ended while nobody waited; the next who asks is told. */
  let untold: AuthError | null = null;

  function open(): void {
    state = "open";
    stopWatching = watch.onEnd(end);
    signal?.addEventListener("abort", leave);
    if (signal?.aborted) leave();
  }

  function finish(): void {
    state = "over";
    stopWatching();
    signal?.removeEventListener("abort", leave);
  }

  function end(why: AuthError): void {
    if (state === "over") return;
    finish();
    if (waiting.size === 0) untold = why;
    for (const { reject } of waiting) reject(toTRPCError(why));
    waiting.clear();
    void closeSource();
  }

  /** The caller has gone: there is nobody to be told why. */
  function leave(): void {
    if (state === "over") return;
    finish();
    for (const { resolve } of waiting) resolve({ done: true, value: undefined });
    waiting.clear();
    void closeSource();
  }

  /**
   * A generator that waits closes when its wait is over: it cannot be woken from here, nor can the signal that tRPC gave
   * it be aborted. Our own app aborts it when the stream has ended.
   */
  async function closeSource(): Promise<void> {
    try {
      await iterator.return?.();
    } catch (error) {
      complain(error);
    }
  }

  function complain(error: unknown): void {
    if (!isAbortError(error)) onError(error);
  }

  /** What came while it ended is not passed on: it may be of the time after. */
  function settle(promise: PromiseWithResolvers<Result>, result: Result): void {
    if (!result.done && state === "open") {
      const why = watch.objection();
      if (why !== null) end(why);
    }
    if (!waiting.delete(promise)) return;
    if (result.done) finish();
    promise.resolve(result);
  }

  function fail(promise: PromiseWithResolvers<Result>, error: unknown): void {
    if (waiting.delete(promise)) {
      finish();
      promise.reject(error);
    } else complain(error);
  }

  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      if (state === "new") open();
      const why = untold ?? (state === "open" ? watch.objection() : null);
      if (why !== null) {
        end(why);
        untold = null;
        throw toTRPCError(why);
      }
      if (state === "over") return { done: true, value: undefined };
      const promise = Promise.withResolvers<Result>();
      waiting.add(promise);
      iterator.next().then(
        (result) => settle(promise, result),
        (error: unknown) => fail(promise, error),
      );
      return promise.promise;
    },
    async return(value) {
      finish();
      untold = null;
      await iterator.return?.();
      return { done: true, value };
    },
    // Without it, `yield*` as tRPC compiles it would tell a rejection of ours as a TypeError of its own.
    async throw(error) {
      finish();
      await iterator.return?.();
      throw error;
    },
  };
}

/** What `observable` of tRPC made: it tells its end to the observer, and is unsubscribed from. */
function watchObservable(source: Observable<unknown, unknown>, options: WatchOptions): Observable<unknown, unknown> {
  const { watch, onError } = options;
  return observable((observer) => {
    const why = watch.objection();
    if (why !== null) {
      observer.error(toTRPCError(why));
      return () => {};
    }
    const stopWatching = watch.onEnd((why) => {
      try {
        observer.error(toTRPCError(why));
      } catch (error) {
        // The observer's own mistake, or the teardown's: the feed has others to tell.
        onError(error);
      }
    });
    const subscription = source.subscribe({
      next(value) {
        const why = watch.objection();
        if (why === null) observer.next(value);
        else observer.error(toTRPCError(why));
      },
      error: (error) => observer.error(error),
      complete: () => observer.complete(),
    });
    return () => {
      stopWatching();
      subscription.unsubscribe();
    };
  });
}

function isAbortError(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}
