import { AuthError } from "@countersign/shared";
import { CompactSign, importJWK } from "jose";
import { describe, expect, it, test } from "vitest";
import { type FeedMessage, hashSubject, signFeedMessage, verifyFeedMessage } from "./feed-message.ts";
import { importSigningKey } from "./import-signing-key.ts";
import { generateKey, importVerificationKey, publicPart } from "./signing-key.ts";

const issuer = "https://auth.example";
const jwk = await generateKey((length) => crypto.getRandomValues(new Uint8Array(length)), "EdDSA");
const key = importSigningKey(jwk, "key-1", "EdDSA");
const publicJwk = publicPart(jwk, "key-1", "EdDSA");
if (publicJwk === null) throw new Error("EdDSA has public keys");
const verificationKey = await importVerificationKey(publicJwk, "key-1", "EdDSA");

const message: FeedMessage = {
  asOf: 1_800_000_000_000,
  from: 3,
  to: 7,
  events: [{ session: "c2Vzc2lvbg" }, { account: "YWNjb3VudA", version: 2 }, { keys: true }],
};
const claims = { iss: issuer, iat: 1_800_000_000, from: 3, to: 7, events: message.events };

const verify = (text: string) =>
  verifyFeedMessage(text, { issuer, keyFor: async (kid) => (kid === "key-1" ? verificationKey : null) });

/** With the issuer's own key: what is wrong is only what is said. */
async function sign(payload: unknown, header: { kid?: string; typ?: string } = {}): Promise<string> {
  return new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
    .setProtectedHeader({ alg: "EdDSA", kid: "key-1", typ: "feed+jwt", ...header })
    .sign(await importJWK(jwk, "EdDSA"));
}

describe("a part of the feed", () => {
  it("is read as it was signed", async () => {
    expect(await verify(await signFeedMessage(key, issuer, message))).toEqual(message);
    expect(await verify(await sign(claims))).toEqual(message);
  });

  test.each([
    ["was signed as something else", claims, { typ: "at+jwt" }],
    ["names a key that the issuer does not have", claims, { kid: "key-2" }],
    ["is another issuer's", { ...claims, iss: "https://other.example" }],
    ["does not say of when it is", { ...claims, iat: undefined }],
    ["begins nowhere", { ...claims, from: -1 }],
    ["ends nowhere", { ...claims, to: 7.5 }],
    ["ends before it begins", { ...claims, to: 2 }],
    ["has no events", { ...claims, events: undefined }],
    ["has an event that says nothing", { ...claims, events: [{}] }],
    ["has an event that says nothing, beside others", { ...claims, events: [...message.events, {}] }],
    ["has an account whose name is no text", { ...claims, events: [{ account: 7, version: 2 }] }],
    ["has an account without its version", { ...claims, events: [{ account: "YWNjb3VudA" }] }],
  ])("that %s is refused", async (_, payload, header?: { kid?: string; typ?: string }) => {
    await expect(sign(payload, header).then(verify)).rejects.toMatchObject({ reason: "TOKEN_INVALID" });
  });

  it("that is changed, or no token at all, is refused", async () => {
    const [header, , signature] = (await sign(claims)).split(".");
    const changed = Buffer.from(JSON.stringify({ ...claims, events: [] })).toString("base64url");
    for (const text of [`${header}.${changed}.${signature}`, "no token", ""])
      await expect(verify(text)).rejects.toMatchObject({ reason: "TOKEN_INVALID" });
  });

  it("is not refused because its key cannot be had: that is for who asked to say", async () => {
    const unavailable = new AuthError("UNAVAILABLE", { retryAfter: 1 });
    const text = await sign(claims);
    await expect(verifyFeedMessage(text, { issuer, keyFor: () => Promise.reject(unavailable) })).rejects.toBe(
      unavailable,
    );
  });
});

test("a subject is the same for who knows its id, and another for each issuer and kind", async () => {
  const hashes = await Promise.all([
    hashSubject("session", issuer, "1"),
    hashSubject("account", issuer, "1"),
    hashSubject("session", "https://other.example", "1"),
    hashSubject("session", issuer, "2"),
  ]);
  expect(new Set(hashes).size).toBe(4);
  expect(await hashSubject("session", issuer, "1")).toBe(hashes[0]);
});
