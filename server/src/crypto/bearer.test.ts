import { expect, test } from "vitest";
import { readBearer } from "./bearer.ts";

test.each([
  ["Bearer abc.def-_~+/=", "abc.def-_~+/="],
  ["bearer abc", "abc"],
  ["BEARER   abc", "abc"],
])("%j carries a token", (header, token) => {
  expect(readBearer(header)).toBe(token);
});

test.each([null, undefined, "", "Basic dXNlcjpwYXNz", "Bearerabc", "DPoP abc"])(
  "%j carries no bearer token",
  (header) => {
    expect(readBearer(header)).toBeNull();
  },
);

test.each([
  "Bearer",
  "Bearer ",
  "Bearer a b",
  "Bearer a, Bearer b",
  "Bearer a,",
  "Bearer é",
  "Bearer =a",
  "Bearer a\u0000",
])("%j is malformed", (header) => {
  expect(() => readBearer(header)).toThrow(expect.objectContaining({ reason: "TOKEN_INVALID" }));
});
