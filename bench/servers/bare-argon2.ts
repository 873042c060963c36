/** One Hono route that compares a password at our cost, one at a time, and does nothing else. */

import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { hash, verify } from "@node-rs/argon2";
import { Hono } from "hono";
import pLimit from "p-limit";
import { password } from "../src/sign-up.ts";
import { environment } from "./environment.ts";

const stored = await hash(password, { memoryCost: 19_456, timeCost: 2, parallelism: 1 });
// As many at once as ours: on two processors one.
const limit = pLimit(1);
const app = new Hono().post("/token", async (context) => {
  const given = new URLSearchParams(await context.req.text()).get("password") ?? "";
  const isRight = await limit(() => verify(stored, given));
  return context.json({ isRight }, isRight ? 200 : 401);
});
createServer(getRequestListener(app.fetch)).listen(environment.port, "127.0.0.1", () => {
  const login = {
    path: "/token",
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ username: "alice", password }).toString(),
  };
  process.stdout.write(`${JSON.stringify({ requests: { login } })}\n`);
});
