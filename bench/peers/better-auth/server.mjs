/** better-auth on SQLite, with its cookie cache, which its page on performance advises: a session is read once in five minutes. */
import { createServer } from "node:http";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import Database from "better-sqlite3";

const database = new Database(process.env.DATABASE_FILE);
database.pragma("journal_mode = WAL");
const baseURL = `http://127.0.0.1:${process.env.PORT}`;
const options = {
  baseURL,
  database,
  secret: "0123456789abcdef".repeat(2),
  emailAndPassword: { enabled: true },
  session: { cookieCache: { enabled: true, maxAge: 300 } },
  // It would refuse the load: three sign-ins in ten seconds from one address.
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { disabled: true },
};
const { runMigrations } = await getMigrations(options);
await runMigrations();
const auth = betterAuth(options);
const person = { email: "alice@example.com", password: "correct horse battery staple" };
const { headers } = await auth.api.signUpEmail({ body: { ...person, name: "alice" }, returnHeaders: true });
const cookie = headers
  .getSetCookie()
  .map((line) => line.split(";")[0])
  .join("; ");
createServer(toNodeHandler(auth)).listen(Number(process.env.PORT), "127.0.0.1", () => {
  const json = { "content-type": "application/json", origin: baseURL };
  const requests = {
    me: { path: "/api/auth/get-session", headers: { cookie } },
    login: { path: "/api/auth/sign-in/email", method: "POST", headers: json, body: JSON.stringify(person) },
  };
  console.log(JSON.stringify({ requests }));
});
