/** Our tokens in the hands of other libraries, and theirs in ours. */
import type { AccountId, SessionId } from "@countersign/shared/schemas";
import { createSigner, createVerifier } from "fast-jwt";
import { createLocalJWKSet, exportPKCS8, exportSPKI, importJWK, type JWK, jwtVerify, SignJWT } from "jose";
import { expect, test } from "vitest";
import { type AccessTokenGrant, signAccessToken, verifyAccessToken } from "./access-token.ts";
import { importSigningKey } from "./import-signing-key.ts";
import { generateKey, importVerificationKey, publicPart, type SigningAlgorithm } from "./signing-key.ts";

const issuer = "https://auth.example.com";
const audience = "https://api.example.com";
const now = Math.floor(Date.now() / 1_000) * 1_000;
const seconds = now / 1_000;
const randomBytes = (length: number) => crypto.getRandomValues(new Uint8Array(length));

const grant: AccessTokenGrant = {
  accountId: "0198c2a1-7f7e-7000-8000-000000000001" as AccountId,
  username: "zoë",
  sessionId: "0198c2a1-7f7e-7000-8000-000000000002" as SessionId,
  clientId: "web",
  scopes: ["notes:read"],
  roles: [],
  version: 0,
  authTime: now,
  amr: ["pwd"],
};

/** What another RFC 9068 issuer would put into a token for us. */
const foreignClaims = {
  iss: issuer,
  aud: audience,
  sub: grant.accountId,
  client_id: "web",
  sid: grant.sessionId,
  jti: "jti-1",
  iat: seconds,
  exp: seconds + 900,
  auth_time: seconds,
  amr: ["pwd"],
  scope: "notes:read",
  roles: [],
  ver: 0,
  preferred_username: "zoë",
};

async function makeKey(algorithm: SigningAlgorithm): Promise<JWK> {
  return generateKey(randomBytes, algorithm);
}

async function sign(jwk: JWK, algorithm: SigningAlgorithm): Promise<string> {
  const key = importSigningKey(jwk, "k1", algorithm);
  return signAccessToken(key, grant, { issuer, audience, jti: "jti-1", issuedAt: seconds, expiresAt: seconds + 900 });
}

async function verify(token: string, jwk: JWK, algorithm: SigningAlgorithm) {
  const key = await importVerificationKey(jwk, "k1", algorithm);
  return verifyAccessToken(token, { keyFor: () => key, issuer, audience, now: () => now, clockToleranceSeconds: 5 });
}

test.each(["EdDSA", "ES256", "RS256"] as const)("jose verifies our %s tokens with our JWKS", async (algorithm) => {
  const jwk = await makeKey(algorithm);
  const jwks = createLocalJWKSet({ keys: [publicPart(jwk, "k1", algorithm) as JWK] });
  const { payload } = await jwtVerify(await sign(jwk, algorithm), jwks, {
    issuer,
    audience,
    typ: "at+jwt",
    algorithms: [algorithm],
    requiredClaims: ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"],
  });
  expect(payload).toMatchObject({ sub: grant.accountId, scope: "notes:read", preferred_username: "zoë" });
});

test.each(["EdDSA", "ES256", "RS256"] as const)("fast-jwt verifies our %s tokens", async (algorithm) => {
  const jwk = await makeKey(algorithm);
  const pem = await exportSPKI((await importJWK(publicPart(jwk, "k1", algorithm) as JWK, algorithm)) as CryptoKey);
  const check = createVerifier({ key: pem, algorithms: [algorithm], allowedIss: issuer, allowedAud: audience });
  expect(check(await sign(jwk, algorithm))).toMatchObject({ sub: grant.accountId, preferred_username: "zoë" });
});

test("fast-jwt verifies our HS256 tokens", async () => {
  const jwk = await makeKey("HS256");
  const check = createVerifier({ key: Buffer.from(jwk.k as string, "base64url"), algorithms: ["HS256"] });
  expect(check(await sign(jwk, "HS256"))).toMatchObject({ sub: grant.accountId });
});

test.each(["EdDSA", "ES256", "RS256"] as const)("we verify %s tokens of jose and of fast-jwt", async (algorithm) => {
  const jwk = await makeKey(algorithm);
  const key = (await importJWK(jwk, algorithm, { extractable: true })) as CryptoKey;
  const joses = await new SignJWT(foreignClaims)
    .setProtectedHeader({ alg: algorithm, kid: "k1", typ: "at+jwt" })
    .sign(key);
  expect((await verify(joses, jwk, algorithm)).username).toBe("zoë");

  const header = { alg: algorithm, kid: "k1", typ: "at+jwt" };
  const fasts = createSigner({ key: await exportPKCS8(key), algorithm, header })(foreignClaims);
  expect((await verify(fasts, jwk, algorithm)).username).toBe("zoë");
});

test("we refuse tokens of other libraries that are not access tokens", async () => {
  const jwk = await makeKey("EdDSA");
  const key = (await importJWK(jwk, "EdDSA")) as CryptoKey;
  const plain = await new SignJWT(foreignClaims).setProtectedHeader({ alg: "EdDSA", kid: "k1", typ: "JWT" }).sign(key);
  await expect(verify(plain, jwk, "EdDSA")).rejects.toMatchObject({ reason: "TOKEN_INVALID" });
});
