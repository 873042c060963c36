import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from "jose";
import { describe, expect, it } from "vitest";
import { expectReason } from "../support/expect-reason.ts";
import { bearer, signUp, usersMe } from "../support/people.ts";
import { password, testApp } from "../support/test-app.ts";

const algorithms = ["EdDSA", "ES256", "RS256", "HS256"] as const;
const members = {
  EdDSA: { kty: "OKP", crv: "Ed25519", x: expect.any(String) },
  ES256: { kty: "EC", crv: "P-256", x: expect.any(String), y: expect.any(String) },
  RS256: { kty: "RSA", n: expect.stringMatching(/^[\w-]{342}$/), e: "AQAB" },
};

describe.each(algorithms)("access tokens signed with %s", (algorithm) => {
  it.each([false, true])(
    "carry a person from login to a protected call and over a refresh (encrypted: %s)",
    async (encryptAccessTokens) => {
      await using app = await testApp({ algorithm, encryptAccessTokens });
      const client = app.client();
      const user = await client.register({ username: "alice", password });
      expect(await client.trpc.whoami.query()).toMatchObject({ accountId: user.id, claims: { shoutedName: "ALICE" } });
      await app.clock.advance({ minutes: 20 });
      expect(await client.trpc.read.query()).toBe("read");
      await client.logout();
      await client.login({ username: "alice", password });
      expect(await client.trpc.auth.me.query()).toEqual(user);
    },
  );

  it("open GET /users/me, until the session ends", async () => {
    await using app = await testApp({ algorithm });
    const session = await signUp(app);
    expect(await (await usersMe(app, session)).json()).toEqual(session.user);
    await bearer(app, session).auth.logout.mutate();
    expect((await usersMe(app, session)).status).toBe(401);
  });
});

it.each(["EdDSA", "ES256", "RS256"] as const)(
  "a token that another server signed with %s is refused",
  async (algorithm) => {
    await using app = await testApp({ algorithm });
    await using other = await testApp({ algorithm });
    await expectReason(bearer(app, await signUp(other)).whoami.query(), "TOKEN_INVALID");
  },
);

describe("the JWKS", () => {
  it.each(["EdDSA", "ES256", "RS256"] as const)("has the public key of %s and nothing private", async (algorithm) => {
    await using app = await testApp({ algorithm });
    const { accessToken } = await signUp(app);
    const reply = await app.request("/.well-known/jwks.json");
    const jwks = (await reply.json()) as JSONWebKeySet;
    expect(jwks).toEqual({ keys: [{ ...members[algorithm], alg: algorithm, use: "sig", kid: expect.any(String) }] });
    expect(decodeProtectedHeader(accessToken)).toEqual({ alg: algorithm, kid: jwks.keys[0]?.kid, typ: "at+jwt" });

    const { payload } = await jwtVerify(accessToken, createLocalJWKSet(jwks), {
      issuer: "http://localhost:3000",
      audience: "http://localhost:3000",
      typ: "at+jwt",
      currentDate: new Date(app.clock.now()),
    });
    expect(payload).toMatchObject({
      preferred_username: "alice",
      scope: "notes:read notes:write",
      client_id: "countersign",
    });
  });

  it("is empty for HS256, whose key is a secret", async () => {
    await using app = await testApp({ algorithm: "HS256" });
    await signUp(app);
    expect(await (await app.request("/.well-known/jwks.json")).json()).toEqual({ keys: [] });
  });
});

describe("encrypted access tokens", () => {
  it("show nobody what they say", async () => {
    await using app = await testApp({ encryptAccessTokens: true });
    const { accessToken, user } = await signUp(app);
    const segments = accessToken.split(".").map((segment) => Buffer.from(segment, "base64url").toString());
    expect(segments).toHaveLength(5);
    expect(JSON.parse(segments[0] ?? "")).toMatchObject({ alg: "dir", enc: "A256GCM", cty: "JWT" });
    for (const secret of ["alice", user.id, "notes:read"]) expect(segments.join()).not.toContain(secret);
  });

  it("are refused when one character is changed", async () => {
    await using app = await testApp({ encryptAccessTokens: true });
    const { accessToken } = await signUp(app);
    const middle = Math.floor(accessToken.length / 2);
    const changed = accessToken[middle] === "A" ? "B" : "A";
    const forged = accessToken.slice(0, middle) + changed + accessToken.slice(middle + 1);
    await expectReason(bearer(app, { accessToken: forged }).whoami.query(), "TOKEN_INVALID");
  });
});
