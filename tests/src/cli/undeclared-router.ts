/** A router with two procedures that forgot to say who may call them. */

import { createAuth } from "@countersign/server";
import { sqlite } from "@countersign/server/sqlite";
import { testRouter } from "../support/test-router.ts";

const { t, publicProcedure } = createAuth({
  database: sqlite(":memory:"),
  secret: Buffer.from("0123456789abcdef".repeat(2)).toString("base64url"),
  issuer: "http://localhost:3000",
});

export const undeclaredRouter = t.router({
  tests: testRouter,
  ping: publicProcedure.query(() => "pong"),
  forgotten: t.procedure.query(() => "secret"),
  nested: { forgotten: t.procedure.mutation(() => "secret") },
});
