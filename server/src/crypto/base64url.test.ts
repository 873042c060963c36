import fc from "fast-check";
import { base64url } from "jose";
import { expect, test } from "vitest";
import { isCanonicalBase64url } from "./base64url.ts";

test("every sequence of bytes has one canonical text", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const text = base64url.encode(bytes);
      expect(isCanonicalBase64url(text)).toBe(true);
      expect(isCanonicalBase64url(`${text}=`)).toBe(false);
    }),
  );
});

test("a text is canonical exactly when encoding what it decodes to gives it back", () => {
  const character = fc.constantFrom(..."ABCDEwxyz0189-_+/= \n");
  fc.assert(
    fc.property(fc.string({ unit: character, maxLength: 9 }), (text) => {
      expect(isCanonicalBase64url(text)).toBe(Buffer.from(text, "base64url").toString("base64url") === text);
    }),
    { numRuns: 2_000 },
  );
});
