/** The real server on a real socket, and tokens of it, good and bad. */
import { createApp, createAuth, serve } from "@countersign/server";
import { sqlite } from "@countersign/server/sqlite";
import { base64url, CompactEncrypt, calculateJwkThumbprint, decodeProtectedHeader } from "jose";
import { password } from "../support/test-app.ts";
import type { Findings, Given } from "./scenario.ts";

export interface Issuer extends AsyncDisposable {
  readonly given: Given;
  /** How often the JWKS was asked for. */
  jwksRequests(): number;
}

/** What every runtime must find out about what {@link startIssuer} gives. */
export const expected: Findings = {
  good: "alice",
  again: "alice",
  request: "alice",
  givenKeys: "alice",
  encrypted: "alice",
  encryptedWithoutKey: "TOKEN_INVALID",
  tampered: "TOKEN_INVALID",
  unknownKey: "TOKEN_INVALID",
  notCanonical: "TOKEN_INVALID",
  otherAudience: "TOKEN_INVALID",
  expired: "TOKEN_EXPIRED",
  missing: "TOKEN_MISSING",
  issuerAway: "UNAVAILABLE",
};

const issuer = "https://auth.example.com";
const audience = "https://api.example.com";

export async function startIssuer(): Promise<Issuer> {
  const auth = createAuth({
    database: sqlite(":memory:"),
    secret: base64url.encode(crypto.getRandomValues(new Uint8Array(32))),
    issuer,
    audience,
    passwordHashing: { memoryKiB: 8, iterations: 1 },
  });
  const app = createApp(auth, { router: auth.t.router({ auth: auth.router }) });
  let jwksRequests = 0;
  const fetchApp: typeof app.fetch = (request, ...others) => {
    if (new URL(request.url).pathname === "/.well-known/jwks.json") jwksRequests += 1;
    return app.fetch(request, ...others);
  };
  const served = await serve({ fetch: fetchApp }, { port: 0, host: "127.0.0.1" });

  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ json: { username: "alice", password } });
  await fetch(`${served.url}/trpc/auth.register`, { method: "POST", headers, body });
  const form = new URLSearchParams({ username: "alice", password });
  const reply = await fetch(`${served.url}/token`, { method: "POST", body: form });
  const { access_token: good } = (await reply.json()) as { access_token: string };
  const jwksUri = `${served.url}/.well-known/jwks.json`;
  const jwks = (await (await fetch(jwksUri)).json()) as Given["jwks"];
  jwksRequests = 0;

  const decryptionKey = crypto.getRandomValues(new Uint8Array(32));
  return {
    given: {
      issuer,
      audience,
      jwksUri,
      jwks,
      good,
      encrypted: await encrypt(good, decryptionKey),
      decryptionKey: base64url.encode(decryptionKey),
      tampered: tamper(good),
      unknownKey: withUnknownKey(good),
    },
    jwksRequests: () => jwksRequests,
    async [Symbol.asyncDispose]() {
      await served.close({ drainMs: 0 });
      await auth.close();
    },
  };
}

/** The token as a server with `encryptAccessTokens` would send it. */
async function encrypt(token: string, key: Uint8Array): Promise<string> {
  const kid = await calculateJwkThumbprint({ kty: "oct", k: base64url.encode(key) });
  return new CompactEncrypt(new TextEncoder().encode(token))
    .setProtectedHeader({ alg: "dir", enc: "A256GCM", kid, cty: "JWT" })
    .encrypt(key);
}

/** Another first byte in the signature. */
function tamper(token: string): string {
  const [header, payload, signature = ""] = token.split(".");
  return [header, payload, (signature[0] === "A" ? "B" : "A") + signature.slice(1)].join(".");
}

function withUnknownKey(token: string): string {
  const header = JSON.stringify({ ...decodeProtectedHeader(token), kid: "unknown" });
  return [base64url.encode(header), ...token.split(".").slice(1)].join(".");
}
