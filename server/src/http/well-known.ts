/** `GET /.well-known/jwks.json`: the public keys that other services verify with (RFC 7517). */
import { Hono } from "hono";
import type { Deps } from "../deps.ts";

export function wellKnownRoutes(start: () => Promise<Deps>): Hono {
  return new Hono().get("/.well-known/jwks.json", async (context) => {
    const { keys } = await start();
    // Shorter than a new key is published before it signs.
    return context.json(keys.jwks(), 200, { "cache-control": "public, max-age=300" });
  });
}
