import { isAuthError } from "@countersign/client";
import type { InputIssue, Reason } from "@countersign/shared";
import { TRPCClientError } from "@trpc/client";
import { expect, expectTypeOf, it } from "vitest";
import { password, testApp } from "../support/test-app.ts";
import type { TestRouter } from "../support/test-router.ts";

type Data = NonNullable<TRPCClientError<TestRouter>["data"]>;

it("an error's data narrows by its reason", () => {
  expectTypeOf<Data["reason"]>().toEqualTypeOf<Reason | null>();
  expectTypeOf<Extract<Data, { reason: "RATE_LIMITED" }>["details"]>().toEqualTypeOf<{ readonly retryAfter: number }>();
  expectTypeOf<Extract<Data, { reason: "INSUFFICIENT_SCOPE" }>["details"]["missing"]>().toEqualTypeOf<
    readonly string[]
  >();
  expectTypeOf<Extract<Data, { reason: "BAD_REQUEST" }>["details"]["issues"]>().toEqualTypeOf<readonly InputIssue[]>();
  expectTypeOf<Extract<Data, { reason: null }>["details"]>().toBeNull();
  expectTypeOf<Data["httpStatus"]>().toBeNumber();
  expectTypeOf<Data["code"]>().extract<"UNAUTHORIZED">().toEqualTypeOf<"UNAUTHORIZED">();
});

it("isAuthError narrows what a catch has, to the details of each reason", async () => {
  await using app = await testApp({ limits: { loginsPerAccount: 1 } });
  const client = app.client();
  await client.login({ username: "alice", password }).catch(() => {});
  const seen: unknown[] = [];
  try {
    await client.login({ username: "alice", password });
  } catch (error) {
    expect(error).toBeInstanceOf(TRPCClientError);
    if (!isAuthError(error)) throw error;
    switch (error.data.reason) {
      case "RATE_LIMITED":
        expectTypeOf(error.data.details.retryAfter).toBeNumber();
        seen.push(error.data.details.retryAfter);
        break;
      case "INVALID_CREDENTIALS":
        // @ts-expect-error: this reason has no details.
        seen.push(error.data.details.retryAfter);
        break;
      default:
        expectTypeOf(error.message).toBeString();
    }
  }
  expect(seen).toEqual([900]);
});

it("isAuthError takes no other error for one of ours", () => {
  const look = (data: unknown) => isAuthError(Object.assign(new Error("x"), { data }));
  expect([
    look({ reason: "TOKEN_EXPIRED", details: {} }),
    look({ reason: null }),
    look({ reason: "toString" }),
  ]).toEqual([true, false, false]);
  expect([
    look(null),
    look("TOKEN_EXPIRED"),
    isAuthError({ data: { reason: "TOKEN_EXPIRED" } }),
    isAuthError(null),
  ]).toEqual(Array(4).fill(false));
});
