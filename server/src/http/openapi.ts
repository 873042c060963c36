/** `GET /openapi.json`: what this app serves, as OpenAPI 3.1. */
import { createHash } from "node:crypto";
import type { AnyTRPCRouter } from "@trpc/server";
import { Hono } from "hono";
import { etag } from "hono/etag";
import { type DocumentOptions, describeApp } from "./openapi/document.ts";

export function openApiRoutes(router: AnyTRPCRouter, options: DocumentOptions): Hono {
  let described: Promise<{ body: string; tag: string }> | undefined;

  const describe = async () => {
    const body = JSON.stringify(await describeApp(router, options));
    return { body, tag: `"${createHash("sha256").update(body).digest("base64url")}"` };
  };

  return new Hono().get("/openapi.json", etag(), async (context) => {
    described ??= describe().catch((error: unknown) => {
      // A router that is loaded lazily may load the next time.
      described = undefined;
      throw error;
    });
    const { body, tag } = await described;
    return context.body(body, 200, {
      "content-type": "application/json",
      "cache-control": "public, max-age=60",
      etag: tag,
    });
  });
}
