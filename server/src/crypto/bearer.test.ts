import { expect, test } from "vitest";
import { readBearer } from "./bearer.ts";

test.each([
  ["Bearer abc.def-_~+/=", "abc.def-_~+/="],
  ["bearer abc", "abc"],
  ["BEARER   abc", "abc"],
  ["Bearer a b", "a b"],
  ["Bearer a, Bearer b", "a, Bearer b"],
])("%j carries a token", (header, token) => {
  expect(readBearer(header)).toBe(token);
});

test.each([null, undefined, "", "Basic dXNlcjpwYXNz", "Bearerabc", "DPoP abc", " Bearer abc"])(
  "%j carries no bearer token",
  (header) => {
    expect(readBearer(header)).toBeNull();
  },
);

test.each(["Bearer", "bearer ", "Bearer   "])("%j promises a token that is not there", (header) => {
  expect(() => readBearer(header)).toThrow(expect.objectContaining({ reason: "TOKEN_INVALID" }));
});
