/** Secrets planted in every input are searched where they must not be: logs, errors, and the database's files. */
import { accessMatrix } from "@countersign/server";
import { pino } from "pino";
import { expect, it } from "vitest";
import { administrator, signIn, signUp } from "../support/people.ts";
import { rawRequest } from "../support/raw-request.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";
import { sharedDatabase } from "../support/test-database.ts";
import { testRouter } from "../support/test-router.ts";

/** Where a canary may be found again. */
type Home =
  /** Nowhere at all. */
  | "nowhere"
  /** In the refusal, which names to its sender the procedure or the field that they named. */
  | "refusal"
  /** In the database: it is the name of an account, or of a device. */
  | "database";

/** Makes texts that stand nowhere else. */
function aviary() {
  const homes = new Map<string, Home>();
  return {
    homes,
    plant(home: Home = "nowhere"): string {
      const canary = `canary${homes.size.toString().padStart(5, "0")}canary`;
      homes.set(canary, home);
      return canary;
    },
  };
}

function canariesIn(text: string): ReadonlySet<string> {
  return new Set(text.match(/canary\d{5}canary/g));
}

const fields = [
  "id",
  "username",
  "password",
  "email",
  "scope",
  "refreshToken",
  "currentPassword",
  "newPassword",
  "search",
  "cursor",
  "limit",
  "roles",
  "text",
  "at",
];

it("no secret is left in a log, in an error or in the database", { timeout: 60_000 }, async () => {
  await using shared = await sharedDatabase();
  const lines: string[] = [];
  const log = pino({ level: "trace" }, { write: (line: string) => void lines.push(line) });
  const unlimited = { loginsPerAccount: 10_000, loginsPerAddress: 10_000, loginsPerKnownDevice: 10_000 };
  await using app = await testApp({ log, limits: unlimited }, { database: shared.open() });
  const { homes, plant } = aviary();
  const refusals: string[] = [];

  await plantEverywhere(app, plant, (refusal) => refusals.push(refusal));

  const logged = lines.join("\n");
  const refused = refusals.join("\n");
  const stored = await shared.text();
  expect([lines.length, refusals.length, homes.size].every((count) => count > 200)).toBe(true);
  const [inLog, inRefusals, inDatabase] = [logged, refused, stored].map(canariesIn);
  const strays = [...homes].flatMap(([canary, home]) => [
    ...(inLog?.has(canary) ? [`${canary} is in the log`] : []),
    ...(home !== "refusal" && inRefusals?.has(canary) ? [`${canary} is in a refusal`] : []),
    ...(inDatabase?.has(canary) === (home === "database") ? [] : [`${canary} is in the database, or missing there`]),
  ]);
  expect(strays).toEqual([]);
  for (const text of [logged, refused, stored]) expect(text.includes(password)).toBe(false);
  expect(logged + refused).not.toMatch(/eyJ[\w-]{10}|v1\.[\w-]{60}|\$argon2/);
  expect(stored).not.toMatch(/eyJ[\w-]{10}|v1\.[\w-]{60}/);
});

async function plantEverywhere(
  app: TestApp,
  plant: (home?: Home) => string,
  note: (refusal: string) => void,
): Promise<void> {
  const alice = await signUp(app);
  await (await administrator(app)).create({ username: "boss", password, roles: ["admin"] });
  const boss = await signIn(app, "boss");
  const device = plant("database");

  async function send(path: string, init: RequestInit = {}): Promise<void> {
    const reply = await app.request(path, init);
    const text = await reply.text();
    if (reply.status >= 400) note(`${[...reply.headers].join("\n")}\n${text}`);
  }
  const post = (body: string, headers: Record<string, string>) => ({ method: "POST", headers, body });
  const everyHeader = () => ({
    "user-agent": device,
    cookie: `__Host-countersign=${plant()}; ${plant()}=${plant()}`,
    origin: `https://${plant()}.example`,
    referer: `https://${plant()}.example/?${plant()}`,
    "x-request-id": plant(),
    "x-forwarded-for": plant(),
    "x-http-method-override": plant(),
    "trpc-accept": plant(),
    [`x-${plant()}`]: plant(),
  });
  const asAlice = { authorization: `Bearer ${alice.accessToken}` };
  const asBoss = { authorization: `Bearer ${boss.accessToken}` };
  const strange = () => [`Bearer ${plant()}`, `Bearer ${plant()} ${plant()}`, `Basic ${plant()}`, plant()];

  async function call(path: string, type: string, body: string, authorization: { authorization?: string }) {
    const headers = { "content-type": "application/json", ...everyHeader(), ...authorization };
    if (type === "mutation") await send(`/trpc/${path}`, post(body, headers));
    else await send(`/trpc/${path}?input=${encodeURIComponent(body)}&${plant()}=${plant()}`, { headers });
  }

  // It takes no input, and Alice is still needed.
  const procedures = accessMatrix(testRouter).filter(({ path }) => path !== "account.remove");
  for (const { path, type } of procedures) {
    const envelope = (json: unknown) => JSON.stringify({ json });
    for (const authorization of [{}, asAlice, asBoss]) {
      await call(path, type, envelope(plant()), authorization);
      await call(path, type, envelope([plant()]), authorization);
      await call(path, type, envelope({ [plant("refusal")]: plant() }), authorization);
      await call(path, type, envelope(Object.fromEntries(fields.map((name) => [name, plant()]))), authorization);
      await call(path, type, `{"json": ${plant()}`, authorization);
      await call(path, type, JSON.stringify({ json: null, meta: { values: { [plant()]: [plant()] } } }), authorization);
    }
    for (const name of fields) {
      // A wrong type, and the right one with everything else missing.
      await call(path, type, envelope({ [name]: { [plant()]: plant() } }), asBoss);
      if (!/logout|revoke|account\.update/.test(path)) await call(path, type, envelope({ [name]: plant() }), asBoss);
    }
    for (const authorization of strange()) await call(path, type, "{}", { authorization });
  }

  expect((await app.request("/users/me", { headers: asAlice })).status).toBe(200);

  const tries: readonly (readonly [path: string, input: unknown])[] = [
    ["auth.login", { username: plant(), password: plant() }],
    ["auth.login", { username: `${plant()}@example.com`, password: plant() }],
    ["auth.login", { username: "alice", password: plant() }],
    ["auth.login", { username: "alice", password, scope: plant() }],
    ["auth.login", { username: "alice", password }],
    ["auth.register", { username: plant("database"), password: plant(), email: `${plant("database")}@example.com` }],
    ["auth.register", { username: "alice", password: plant(), email: `${plant()}@example.com` }],
    ["auth.register", { username: "bob", password: plant(), email: plant() }],
    ["auth.refresh", { refreshToken: `v1.${plant()}` }],
    ["auth.refresh", { refreshToken: boss.accessToken.slice(0, 500) }],
    ["auth.logout", { refreshToken: plant() }],
    ["auth.changePassword", { currentPassword: plant(), newPassword: plant() }],
    ["users.create", { username: plant("database"), password: plant(), roles: [] }],
    ["users.create", { username: "carol", password: plant(), roles: [plant()] }],
    ["users.setRoles", { id: alice.user.id, roles: [plant()] }],
    ["users.setPassword", { id: plant(), password: plant() }],
    ["users.setPassword", { id: alice.user.id, password: plant() }],
    ["users.disable", { id: plant() }],
  ];
  for (const [path, input] of tries) {
    await call(path, "mutation", JSON.stringify({ json: input }), asBoss);
  }

  await send(`/trpc/${plant("refusal")}?input=${plant()}`);
  await send(`/trpc/auth.${plant("refusal")},ping?batch=1`);
  await send(`/trpc/${plant()}%E0%A4%A`);
  await send(`/trpc/ping?connectionParams=${plant()}`);
  await send("/trpc/auth.login", post(plant(), { "content-type": `text/plain; ${plant()}=${plant()}` }));
  await send("/trpc/auth.login", post(plant(), { "content-type": `multipart/form-data; boundary=${plant()}` }));
  await send("/trpc/auth.login", post(plant().repeat(10_000), { "content-type": "application/json" }));

  for (const path of ["/users/me", "/token", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/nope"]) {
    for (const authorization of strange()) {
      await send(`${path}?${plant()}=${plant()}`, { headers: { ...everyHeader(), authorization } });
      await send(path, post(plant(), { ...everyHeader(), authorization }));
    }
  }
  await send(`/${plant()}/${plant()}`);
  await send(`/docs/${plant()}/${plant()}`);
  await send(`/.well-known/${plant()}`);
  await send("/nope", post(plant().repeat(10_000), {}));

  const form = (values: Record<string, string>) => ({
    method: "POST",
    headers: everyHeader(),
    body: new URLSearchParams(values),
  });
  await send("/token", form({ username: plant(), password: plant(), client_id: plant(), client_secret: plant() }));
  await send("/token", form({ username: "alice", password: plant(), [plant()]: plant() }));
  await send("/token", form({ username: "boss", password, scope: plant() }));
  await send("/token", form({ grant_type: plant(), refresh_token: plant() }));
  await send("/token", form({ grant_type: "refresh_token", refresh_token: plant() }));
  await send("/token", form({ grant_type: "refresh_token", refresh_token: plant().repeat(60) }));
  await send("/token", form({ grant_type: "password", password: plant() }));

  const raw: readonly (readonly string[])[] = [
    ["GET /users/me HTTP/1.1", `authorization: Bearer ${plant()}`, `authorization: Bearer ${plant()}`],
    ["GET /users/me HTTP/1.1", `host: ${plant()}[`],
    [`HELLO ${plant()}`],
    [`GET /${plant()} HTTP/1.1`, `x-large: ${plant().repeat(2_000)}`],
  ];
  for (const request of raw) {
    const { headers, body } = await rawRequest(app.url, request);
    note(`${headers}\n${body}`);
  }
  // Nothing above was refused for want of a sign-in.
  expect((await app.request("/users/me", { headers: asBoss })).status).toBe(200);
}
