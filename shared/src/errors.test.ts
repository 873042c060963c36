import { expect, it } from "vitest";
import { AuthError, reasons } from "./errors.ts";

it.each([
  [
    new AuthError("INSUFFICIENT_SCOPE", { missing: ["notes:write"] }),
    'This call needs the scope "notes:write", which the access token does not have.',
  ],
  [
    new AuthError("INSUFFICIENT_SCOPE", { missing: ["notes:read", "notes:write"] }),
    'This call needs the scopes "notes:read" and "notes:write", which the access token does not have.',
  ],
  [
    new AuthError("INSUFFICIENT_ROLE", { role: "moderator" }),
    'This call needs the role "moderator", which this account does not have.',
  ],
  [new AuthError("RATE_LIMITED", { retryAfter: 30 }), reasons.RATE_LIMITED.message],
  [new AuthError("NOT_FOUND", undefined, "There is no account of this name."), "There is no account of this name."],
])("an error's sentence names what is needed: %s", (error, sentence) => {
  expect(error.message).toBe(sentence);
});

it("an error keeps its cause, and does not show it as a field", () => {
  const cause = new Error("why");
  const error = new AuthError("TOKEN_INVALID", undefined, undefined, { cause });
  expect(error.cause).toBe(cause);
  expect(Object.keys(error)).not.toContain("cause");
});
