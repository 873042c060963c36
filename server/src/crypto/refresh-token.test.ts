import { createSecretKey } from "node:crypto";
import type { SessionId } from "@countersign/shared/schemas";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRefreshTokens, parseRefreshToken } from "./refresh-token.ts";

const key = createSecretKey(Buffer.alloc(32, 1));
const tokens = createRefreshTokens([key]);

const session = fc.record({
  id: fc.uuid({ version: 7 }).map((id) => id as SessionId),
  generation: fc.integer({ min: 0, max: 0xffffffff }),
  salt: fc.uint8Array({ minLength: 16, maxLength: 16 }),
});

describe("a refresh token", () => {
  it("names its session and generation, and is authentic", () => {
    fc.assert(
      fc.property(session, (made) => {
        const presented = parseRefreshToken(tokens.make(made));
        expect(presented).toMatchObject({ sessionId: made.id, generation: made.generation });
        expect(presented !== null && tokens.isAuthentic(presented, made.salt)).toBe(true);
      }),
    );
  });

  it("is the same again for the same generation, and another for every other", () => {
    fc.assert(
      fc.property(session, session, (one, other) => {
        expect(tokens.make(one)).toBe(tokens.make({ ...one }));
        expect(tokens.make(one) === tokens.make(other)).toBe(
          one.id === other.id && one.generation === other.generation,
        );
      }),
    );
  });

  it("is no longer authentic once any character is changed", () => {
    fc.assert(
      fc.property(session, fc.nat(), fc.string({ minLength: 1, maxLength: 1 }), (made, position, replacement) => {
        const token = tokens.make(made);
        const index = position % token.length;
        fc.pre(token[index] !== replacement);
        const changed = parseRefreshToken(token.slice(0, index) + replacement + token.slice(index + 1));
        expect(changed !== null && tokens.isAuthentic(changed, made.salt)).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });

  it("of another key or another salt is not authentic", () => {
    fc.assert(
      fc.property(session, fc.uint8Array({ minLength: 16, maxLength: 16 }), (made, salt) => {
        fc.pre(Buffer.compare(made.salt, salt) !== 0);
        const presented = parseRefreshToken(tokens.make(made));
        const others = createRefreshTokens([createSecretKey(Buffer.alloc(32, 2))]);
        expect(presented !== null && tokens.isAuthentic(presented, salt)).toBe(false);
        expect(presented !== null && others.isAuthentic(presented, made.salt)).toBe(false);
      }),
    );
  });

  it("is read from any text without throwing: what is not canonical is none", () => {
    const almost = fc.tuple(fc.constantFrom("v1.", "v2.", "v1", ""), fc.base64String());
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          almost.map(([prefix, body]) => prefix + body),
        ),
        (text) => {
          const presented = parseRefreshToken(text);
          if (presented !== null) expect(text).toMatch(/^v1\.[\w-]{70}$/);
        },
      ),
      { numRuns: 5_000 },
    );
  });
});
