/** What happens between two values, and between a value and the end: the moments that no server of a test comes by on purpose. */
import { AuthError } from "@countersign/shared";
import { isObservable, observable } from "@trpc/server/observable";
import { describe, expect, it, vi } from "vitest";
import { watchSubscription } from "./watched-subscription.ts";

const revoked = new AuthError("SESSION_REVOKED");
const isRevoked = { code: "UNAUTHORIZED", cause: revoked };

/** A caller who may lose what they proved: first it is so, and then whoever watches is told. */
function caller() {
  let why: AuthError | null = null;
  const listeners = new Set<(why: AuthError) => void>();
  const leaving = new AbortController();
  const errors: unknown[] = [];
  return {
    listeners,
    errors,
    revoke() {
      why = revoked;
    },
    tell() {
      for (const listener of listeners) listener(revoked);
    },
    leave: () => leaving.abort(),
    options: {
      watch: {
        objection: () => why,
        onEnd(listener: (why: AuthError) => void) {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      },
      signal: leaving.signal,
      onError: (error: unknown) => void errors.push(error),
    },
  };
}

/** An iterable whose values come when the test says so. */
function source() {
  const asked: PromiseWithResolvers<IteratorResult<string>>[] = [];
  const iterator = {
    next: vi.fn(() => {
      const answer = Promise.withResolvers<IteratorResult<string>>();
      asked.push(answer);
      return answer.promise;
    }),
    return: vi.fn(async () => ({ done: true as const, value: undefined })),
  };
  const take = () => asked.shift() ?? expect.fail("nothing was asked for");
  return {
    ...iterator,
    iterable: { [Symbol.asyncIterator]: () => iterator },
    value: (value: string) => take().resolve({ done: false, value }),
    end: () => take().resolve({ done: true, value: undefined }),
    fail: (error: Error) => take().reject(error),
  };
}

function subscribe(iterable: unknown, options: ReturnType<typeof caller>["options"]) {
  const watched = watchSubscription(iterable, options) as AsyncGenerator<string, unknown>;
  return watched[Symbol.asyncIterator]();
}

const over = { done: true, value: undefined };

describe("an iterable that is watched", () => {
  it("passes values on, and ends as its source does", async () => {
    const [who, values] = [caller(), source()];
    const stream = subscribe(values.iterable, who.options);
    expect(who.listeners.size).toBe(0);
    const [first, last] = [stream.next(), stream.next()];
    values.value("hello");
    values.end();
    expect([await first, await last]).toEqual([{ done: false, value: "hello" }, over]);
    expect(await stream.next()).toEqual(over);
    expect([who.listeners.size, values.next.mock.calls.length]).toEqual([0, 2]);
  });

  it("passes on nothing that came while it ended", async () => {
    const [who, values] = [caller(), source()];
    const stream = subscribe(values.iterable, who.options);
    const next = stream.next();
    who.revoke();
    values.value("of the time after");
    await expect(next).rejects.toMatchObject(isRevoked);
    expect([who.listeners.size, values.return.mock.calls.length]).toEqual([0, 1]);
    expect(await stream.next()).toEqual(over);
  });

  it("has ended, and was not refused, where its source ended as the session did", async () => {
    const [who, values] = [caller(), source()];
    const next = subscribe(values.iterable, who.options).next();
    who.revoke();
    values.end();
    expect(await next).toEqual(over);
  });

  it("asks its source for nothing once it is over, told or not", async () => {
    const [who, values] = [caller(), source()];
    const stream = subscribe(values.iterable, who.options);
    const next = stream.next();
    values.value("hello");
    await next;
    who.revoke();
    await expect(stream.next()).rejects.toMatchObject(isRevoked);
    who.tell();
    expect(await stream.next()).toEqual(over);
    expect([values.next.mock.calls.length, values.return.mock.calls.length, who.listeners.size]).toEqual([1, 1, 0]);
  });

  it("says why it ended to whoever asks next, and once", async () => {
    const [who, values] = [caller(), source()];
    const stream = subscribe(values.iterable, who.options);
    const next = stream.next();
    values.value("hello");
    await next;
    who.tell();
    await expect(stream.next()).rejects.toMatchObject(isRevoked);
    expect(await stream.next()).toEqual(over);
  });

  it("says it to all who wait, and to nobody again", async () => {
    const [who, values] = [caller(), source()];
    const stream = subscribe(values.iterable, who.options);
    const waiting = [stream.next(), stream.next()];
    const [tell] = who.listeners;
    tell?.(revoked);
    tell?.(revoked);
    for (const next of waiting) await expect(next).rejects.toMatchObject(isRevoked);
    expect(await stream.next()).toEqual(over);
    expect(values.return).toHaveBeenCalledTimes(1);
  });

  it("ends quietly when its caller leaves, whatever comes then", async () => {
    const [who, values] = [caller(), source()];
    const stream = subscribe(values.iterable, who.options);
    const next = stream.next();
    const [tell] = who.listeners;
    who.leave();
    tell?.(revoked);
    expect(await next).toEqual(over);
    expect(await stream.next()).toEqual(over);
    expect([values.return.mock.calls.length, who.listeners.size]).toEqual([1, 0]);
  });

  it("is never begun for a caller who has left", async () => {
    const [who, values] = [caller(), source()];
    who.leave();
    expect(await subscribe(values.iterable, who.options).next()).toEqual(over);
    expect(values.next).not.toHaveBeenCalled();
  });

  it.each(["revoked", "gone"])("tells the log what its source fails with when its caller is %s", async (what) => {
    const [who, values] = [caller(), source()];
    const next = subscribe(values.iterable, who.options).next();
    const settled = next.catch(() => {});
    if (what === "gone") who.leave();
    else who.tell();
    await settled;
    const late = new Error("too late");
    values.fail(late);
    await vi.waitFor(() => expect(who.errors).toEqual([late]));
  });

  it("fails as its source does while its caller waits, which is nothing for the log", async () => {
    const [who, values] = [caller(), source()];
    const stream = subscribe(values.iterable, who.options);
    const next = stream.next();
    values.fail(new Error("no values today"));
    await expect(next).rejects.toThrow("no values today");
    expect([who.errors, who.listeners.size, await stream.next()]).toEqual([[], 0, over]);
  });

  it("closes a source, or one that has nothing to close, when whoever reads it stops", async () => {
    const [who, values] = [caller(), source()];
    const reader = subscribe(values.iterable, who.options);
    void reader.next();
    expect(await reader.return("enough")).toEqual({ done: true, value: "enough" });
    const mistaken = subscribe(values.iterable, who.options);
    void mistaken.next();
    await expect(mistaken.throw(new Error("mine"))).rejects.toThrow("mine");
    expect([values.return.mock.calls.length, who.listeners.size]).toEqual([2, 0]);

    const plain = () => ({ [Symbol.asyncIterator]: () => ({ next: values.next }) });
    expect(await subscribe(plain(), who.options).return("enough")).toEqual({ done: true, value: "enough" });
    await expect(subscribe(plain(), who.options).throw(new Error("mine"))).rejects.toThrow("mine");
    const ended = subscribe(plain(), who.options).next();
    who.tell();
    await expect(ended).rejects.toMatchObject(isRevoked);
    expect(who.errors).toEqual([]);
  });
});

describe("an observable that is watched", () => {
  function observe(begin: Parameters<typeof observable<string, Error>>[0]) {
    const who = caller();
    const seen: unknown[] = [];
    const watched = watchSubscription(observable<string, Error>(begin), who.options);
    if (!isObservable(watched)) return expect.fail("it is none any more");
    const start = () =>
      watched.subscribe({
        next: (value) => seen.push(value),
        error: (error) => seen.push(error),
        complete: () => seen.push("the end"),
      });
    return { who, seen, start };
  }

  it("passes values, its end and its failure on", () => {
    const { seen, start } = observe((observer) => {
      observer.next("hello");
      observer.complete();
    });
    start();
    expect(seen).toEqual(["hello", "the end"]);
    const failing = observe((observer) => observer.error(new Error("no values today")));
    failing.start();
    expect(failing.seen).toEqual([new Error("no values today")]);
  });

  it("is not begun once it is over, and passes on nothing that came while it ended", () => {
    const begin = vi.fn();
    const late = observe(begin);
    late.who.revoke();
    late.start();
    expect(begin).not.toHaveBeenCalled();
    expect(late.seen).toEqual([expect.objectContaining(isRevoked)]);

    let push = (_: string) => {};
    const ending = observe((observer) => {
      push = (value) => observer.next(value);
    });
    ending.start();
    ending.who.revoke();
    push("of the time after");
    expect(ending.seen).toEqual([expect.objectContaining(isRevoked)]);
    expect(ending.who.listeners.size).toBe(0);
  });
});

it.each([[null], [undefined], ["text"], [7], [{ next: () => {} }]])("what is neither stays as it is: %j", (value) => {
  expect(watchSubscription(value, caller().options)).toBe(value);
});
