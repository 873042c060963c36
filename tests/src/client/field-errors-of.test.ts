import { fieldErrorsOf } from "@countersign/client";
import { AuthError } from "@countersign/shared";
import { expect, expectTypeOf, it } from "vitest";
import { administrator } from "../support/people.ts";
import { password, testApp } from "../support/test-app.ts";
import type { TestRouter } from "../support/test-router.ts";

const caught = (call: Promise<unknown>) => call.catch((error: unknown) => error);
const registerErrors = (error: unknown) => fieldErrorsOf<TestRouter, "auth.register">(error);

it("names each field of a form that is wrong, with its first sentence", async () => {
  await using app = await testApp();
  const error = await caught(app.client().register({ username: "a b", password, email: "nowhere" }));
  expect(registerErrors(error)).toEqual({
    username: expect.stringMatching(/^"username" /),
    email: expect.stringMatching(/^"email" /),
  });
});

it("puts a taken name and a weak password to the field that they are in", async () => {
  await using app = await testApp();
  const { register, login, trpc } = app.client();
  await register({ username: "alice", password, email: "alice@example.com" });
  expect(registerErrors(await caught(register({ username: "alice", password })))).toEqual({
    username: "This username is taken. Choose another.",
  });
  expect(registerErrors(await caught(register({ username: "bob", password, email: "alice@example.com" })))).toEqual({
    email: "An account with this e-mail address exists. Sign in instead.",
  });
  await login({ username: "alice", password });
  const change = trpc.auth.changePassword.mutate({ currentPassword: password, newPassword: "password123" });
  expect(fieldErrorsOf<TestRouter, "auth.changePassword">(await caught(change))).toEqual({
    newPassword: expect.stringMatching(/^"newPassword" is among/),
  });
});

it("gives what is wrong within a field to the field", async () => {
  await using app = await testApp();
  const users = await administrator(app);
  const error = await caught(users.create({ username: "bob", password, roles: ["admin", "emperor"] }));
  const issue = new AuthError("BAD_REQUEST", { issues: [{ path: ["roles", 1, "name"], message: "is wrong" }] });
  expect(Object.keys(fieldErrorsOf<TestRouter, "users.create">(error))).toEqual([]);
  expect(fieldErrorsOf<TestRouter, "users.create">(issue)).toEqual({ roles: "is wrong" });
});

it("is empty for what is about no field", () => {
  const ofNoField = new AuthError("BAD_REQUEST", { issues: [{ path: [], message: "is wrong" }] });
  const others = [ofNoField, new AuthError("BUSY", { retryAfter: 1 }), new Error("x"), null];
  expect(others.map(registerErrors)).toEqual([{}, {}, {}, {}]);
});

it("has the fields of the procedure's input, and no others", () => {
  expectTypeOf(registerErrors).returns.toEqualTypeOf<{
    readonly username?: string;
    readonly password?: string;
    readonly email?: string;
  }>();
  expectTypeOf<keyof ReturnType<typeof fieldErrorsOf<TestRouter, "users.list">>>().toEqualTypeOf<
    "cursor" | "direction" | "limit" | "search"
  >();
  expectTypeOf<keyof ReturnType<typeof fieldErrorsOf<TestRouter, "ping">>>().toBeNever();
  expectTypeOf<keyof ReturnType<typeof fieldErrorsOf<TestRouter, "length">>>().toBeNever();
});
