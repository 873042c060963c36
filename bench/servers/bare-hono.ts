/** One Hono route that checks nothing: it answers with the headers and the body that another server answered with. */

import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { environment } from "./environment.ts";

const { headers, body } = JSON.parse(environment.reply) as { headers: Record<string, string>; body: unknown };
const app = new Hono().get("/users/me", (context) => {
  // It reads what it was sent, and makes its reply anew, as whoever answers must.
  if (context.req.header("authorization") === undefined) return context.text("", 401);
  return context.json(body, 200, headers);
});
createServer(getRequestListener(app.fetch)).listen(environment.port, "127.0.0.1", () => {
  process.stdout.write(`${JSON.stringify({ requests: {} })}\n`);
});
