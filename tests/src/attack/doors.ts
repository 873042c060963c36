/** Where an access token may be shown, and who of them believes it. */
import { createVerifier, isAuthError, type Verifier } from "@countersign/server/verifier";
import { expect } from "vitest";
import type { TestApp } from "../support/test-app.ts";

/** Each says whether it lets a token in. */
export type Doors = Readonly<Record<string, (token: string) => Promise<boolean>>>;

/** Both kinds of route of a server, and a service that only has the public keys. Nobody but the server verifies HS256. */
export function doorsOf(app: TestApp, verifier: Verifier | null): Doors {
  return {
    "GET /users/me": route(app, "/users/me"),
    whoami: route(app, "/trpc/whoami"),
    ...(verifier && { "a verifier": (token) => isLetInBy(verifier, token) }),
  };
}

/** A service of its own, with the public keys of a server. */
export function verifierOf({ auth, url, clock }: TestApp, decryptionKey: readonly Uint8Array[] = []): Verifier {
  const { issuer, audience = issuer } = auth.options;
  const jwksUri = `${url}/.well-known/jwks.json`;
  return createVerifier({ issuer, audience, jwksUri, now: clock.now, decryptionKey });
}

/** The doors that each token opens, by its name, and nothing of those that open none. */
export async function openedBy(
  tokens: ReadonlyMap<string, string>,
  doors: Doors,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const opened: Record<string, readonly string[]> = {};
  for (const [name, token] of tokens) {
    const answers = await Promise.all(
      Object.entries(doors).map(async ([door, isLetIn]) => ((await isLetIn(token)) ? [door] : [])),
    );
    if (answers.flat().length > 0) opened[name] = answers.flat();
  }
  return opened;
}

function route(app: TestApp, path: string) {
  return async (token: string) => {
    const reply = await app.request(path, { headers: { authorization: `Bearer ${token}` } });
    await reply.arrayBuffer();
    expect([200, 401], `${path} with ${token.slice(0, 60)}…`).toContain(reply.status);
    return reply.status === 200;
  };
}

async function isLetInBy(verifier: Verifier, token: string): Promise<boolean> {
  try {
    await verifier.verify(token);
    return true;
  } catch (error) {
    if (isAuthError(error) && /^TOKEN_(?:INVALID|EXPIRED|MISSING)$/.test(error.data.reason)) return false;
    throw error;
  }
}
