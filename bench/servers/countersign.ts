/** Countersign as an application has it: our routes, and a router of its own with a public and a protected query. */
import { createApp, createAuth, serve } from "@countersign/server";
import { postgres } from "@countersign/server/postgres";
import { sqlite } from "@countersign/server/sqlite";
import { password, signUp } from "../src/sign-up.ts";
import { environment } from "./environment.ts";

const { port, databaseUrl, tokens: wanted } = environment;
const auth = createAuth({
  database: databaseUrl.startsWith("postgres:") ? postgres(databaseUrl) : sqlite(databaseUrl),
  secret: Buffer.from("0123456789abcdef".repeat(2)).toString("base64url"),
  issuer: "https://auth.example",
});
const app = createApp(auth, {
  router: auth.t.router({
    auth: auth.router,
    users: auth.usersRouter,
    /** As much to send as `me`, for everyone. */
    open: auth.publicProcedure.query(() => ({
      id: "0192f0a0-0000-7000-8000-000000000001",
      username: "alice",
      roles: [],
    })),
    me: auth.protectedProcedure.query(({ ctx }) => {
      const { accountId, username, roles } = ctx.principal;
      return { id: accountId, username, roles };
    }),
  }),
});
await auth.start();
const served = await serve(app, { port, host: "127.0.0.1" });
process.once("SIGTERM", async () => {
  await served.close({ drainMs: 0 });
  await auth.close();
});

const { accessToken, tokens } = await signUp(auth, { username: `alice${port}`, tokens: wanted });
// People enough that nobody has a thousand sessions, as nobody has.
const people = Array.from({ length: 50 }, (_, index) => `bob${port}x${index}`);
for (const username of people) await signUp(auth, { username });
const headers = { authorization: `Bearer ${accessToken}` };
const input = encodeURIComponent(
  JSON.stringify(Object.fromEntries(Array.from({ length: 10 }, (_, index) => [index, {}]))),
);
const requests = {
  open: { path: "/trpc/open", headers },
  query: { path: "/trpc/me", headers },
  batch: { path: `/trpc/${Array(10).fill("me").join()}?batch=1&input=${input}`, headers },
  me: { path: "/users/me", headers },
  login: people.map((username) => ({
    path: "/token",
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ username, password }).toString(),
  })),
};
process.stdout.write(`${JSON.stringify({ requests, tokens })}\n`);
