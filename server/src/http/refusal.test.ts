import { AuthError } from "@countersign/shared";
import { describe, expect, it } from "vitest";
import { refusalHeaders, resourceRefusalBody, tokenRefusalBody } from "./refusal.ts";

const tooMany = (retryAfter: number) => new AuthError("RATE_LIMITED", { retryAfter });
const issue = (name: string) => ({ path: [name], message: "It is malformed." });

describe("of several refusals, as in a batch,", () => {
  it("the longest wait is told", () => {
    expect(refusalHeaders([tooMany(5), tooMany(9), tooMany(7)])).toEqual({ "retry-after": "9" });
  });

  it("the first challenge is told, wherever it stands", () => {
    expect(refusalHeaders([tooMany(5), new AuthError("TOKEN_EXPIRED"), new AuthError("TOKEN_MISSING")])).toEqual({
      "www-authenticate": 'Bearer error="invalid_token"',
      "retry-after": "5",
    });
  });

  it("nothing is told that none of them has", () => {
    expect(refusalHeaders([new AuthError("NOT_FOUND")])).toEqual({});
  });
});

describe("the standard's word", () => {
  it.each([
    [new AuthError("TOKEN_EXPIRED"), "invalid_token"],
    [new AuthError("BUSY", { retryAfter: 1 }), "temporarily_unavailable"],
    [tooMany(5), "rate_limited"],
  ])("for a resource: $reason", (refusal, error) => {
    expect(resourceRefusalBody(refusal).error).toBe(error);
  });

  it.each([
    [["scope"], "invalid_scope"],
    [["username", "scope"], "invalid_scope"],
    [["username"], "invalid_request"],
  ])("for the token endpoint, where %j is malformed", (names, error) => {
    expect(tokenRefusalBody(new AuthError("BAD_REQUEST", { issues: names.map(issue) })).error).toBe(error);
  });
});
