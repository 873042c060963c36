/** Secrets planted in every input are searched where they must not be: logs, replies, and the database's file. */
import { readdirSync, readFileSync } from "node:fs";
import { sqlite } from "@countersign/server/sqlite";
import { pino } from "pino";
import { expect, it } from "vitest";
import { signUp } from "../support/people.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { password, testApp } from "../support/test-app.ts";

let planted = 0;
/** A text that stands nowhere else. */
const canary = () => `canary${(planted++).toString().padStart(4, "0")}canary`;

it("no secret is left in a log, in an error or in the database", async () => {
  await using folder = await temporaryFolder();
  const lines: string[] = [];
  const log = pino({ level: "trace" }, { write: (line: string) => void lines.push(line) });
  const replies: string[] = [];
  {
    await using app = await testApp({ log }, { database: sqlite(folder.file("app.db")) });
    const alice = await signUp(app);
    const bearer = { authorization: `Bearer ${alice.accessToken}` };
    const form = (fields: Record<string, string>) => ({ method: "POST", body: new URLSearchParams(fields) });
    const note = async (reply: Response) => replies.push(`${[...reply.headers].join("\n")}\n${await reply.text()}`);
    const call = async (path: string, input: unknown, headers: Record<string, string> = {}) =>
      note(await app.call(path, { json: input }, headers));
    const get = async (path: string, headers: Record<string, string> = {}) =>
      note(await app.request(path, { headers }));

    for (const path of ["auth.login", "auth.register"]) {
      await call(path, { username: canary(), password: canary() });
      await call(path, { username: "alice", password: canary() });
      await call(path, { username: "alice", password: canary(), scope: canary() });
      await call(path, { username: { [canary()]: canary() }, password: [canary()] });
      await call(path, { username: "bob", password: canary(), email: canary() });
      await call(path, canary());
      await note(await app.call(path, `{"json": ${canary()}`));
      await note(await app.call(path, { json: null, meta: { values: { [canary()]: [canary()] } } }));
    }
    await call("auth.changePassword", { currentPassword: canary(), newPassword: canary() }, bearer);
    await call("auth.changePassword", { currentPassword: password, newPassword: canary() }, bearer);
    await call("auth.refresh", { refreshToken: `v1.${canary()}` });
    await call("auth.logout", { refreshToken: canary() });
    await call("write", { text: canary().repeat(20) }, bearer);
    await call("users.get", { id: canary() }, bearer);
    await call(`auth.${canary()}`, {});
    await call(`auth.login?input=${canary()}`, {});
    await get(`/trpc/whoami?input=${canary()}`, bearer);
    await get(`/trpc/${canary()}`);
    await get(`/${canary()}?token=${canary()}`);
    await get(`/docs/${canary()}/${canary()}`);
    for (const path of ["/users/me", "/trpc/whoami", "/trpc/auth.session", "/trpc/broken"]) {
      await get(path, { authorization: `Bearer ${canary()}` });
      await get(path, { authorization: `Basic ${canary()}` });
      await get(path, {
        cookie: `__Host-countersign=${canary()}`,
        "x-request-id": canary(),
        "x-forwarded-for": canary(),
        ...bearer,
      });
      await get(path, { origin: `https://${canary()}.example`, referer: `https://${canary()}.example` });
    }
    await note(await app.request("/token", form({ username: canary(), password: canary(), client_secret: canary() })));
    await note(await app.request("/token", form({ grant_type: canary(), refresh_token: canary() })));
    await note(await app.request("/token", form({ grant_type: "refresh_token", refresh_token: canary() })));
    await note(
      await app.request("/token", { method: "POST", headers: { authorization: `Basic ${canary()}` }, body: canary() }),
    );

    expect(lines.length).toBeGreaterThan(40);
    const secrets = [alice.accessToken, alice.refreshToken, password, ...passwordsSent(planted)];
    const files = readdirSync(folder.path).map((file) => readFileSync(folder.file(file), "latin1"));
    // A registered username and a new password's hash may be there; what was typed as a password may not.
    const names = await usernames(app.auth);
    const everything = { log: lines.join("\n"), replies: withoutEchoes(replies), database: files.join("\n") };
    for (const [where, text] of Object.entries(everything)) {
      for (const secret of secrets) {
        if (where === "database" && names.has(secret)) continue;
        expect(text.includes(secret), `${secret} is in the ${where}`).toBe(false);
      }
    }
  }
});

function passwordsSent(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `canary${index.toString().padStart(4, "0")}canary`);
}

/** A path that does not exist is told back to who asked for it, and a new account to who made it. */
function withoutEchoes(replies: readonly string[]): string {
  return replies.filter((reply) => !/There is no procedure|"accessToken"/.test(reply)).join("\n");
}

async function usernames(auth: Awaited<ReturnType<typeof testApp>>["auth"]): Promise<Set<string>> {
  const { db } = await auth.start();
  const rows = await db.selectFrom("accounts").select(["username"]).execute();
  return new Set(rows.map(({ username }) => username));
}
