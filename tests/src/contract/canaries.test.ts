/** Secrets planted in every input are searched where they must not be: logs, errors, pages, metrics, and the database's files. */
import { accessMatrix } from "@countersign/server";
import type { SignedIn } from "@countersign/shared/schemas";
import { pino } from "pino";
import { expect, it, vi } from "vitest";
import { administrator, signIn, signUp } from "../support/people.ts";
import { rawRequest } from "../support/raw-request.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";
import { sharedDatabase } from "../support/test-database.ts";
import { testRouter } from "../support/test-router.ts";
import { unlimited } from "../support/unlimited.ts";

/** Where a canary may be found again. */
type Home =
  /** Nowhere at all. */
  | "nowhere"
  /** In the refusal, which names to its sender the procedure or the field that they named. */
  | "refusal"
  /** In what is said to its sender: it was typed to be shown again, as a name, or as the page to go on to. */
  | "reply"
  /** In the database, and in what those are told who may see it: it is the name of an account, or of a device. */
  | "database";

type Plant = (home?: Home) => string;

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

/** What the server said, by how. */
interface Said {
  readonly refusals: string[];
  /** With their headers, but for those that set a cookie; and where they lead. */
  readonly pages: string[];
  /** Of everything else that was done. */
  readonly answers: string[];
}

it("no secret is left in a log, in an error, on a page, in metrics or in the database", {
  timeout: 120_000,
}, async () => {
  await using shared = await sharedDatabase();
  const lines: string[] = [];
  const log = pino({ level: "trace" }, { write: (line: string) => void lines.push(line) });
  const exported = vi.spyOn(crypto.subtle, "exportKey");
  await using app = await testApp({ log, limits: unlimited }, { database: shared.open() });
  const { homes, plant } = aviary();
  const said: Said = { refusals: [], pages: [], answers: [] };

  const secrets = await plantEverywhere(app, sower(app, { plant, said }));

  const privateKeys = exported.mock.settledResults.flatMap(({ value }) => ("d" in value && value.d ? [value.d] : []));
  const told = {
    log: lines.join("\n"),
    refusals: said.refusals.join("\n"),
    pages: said.pages.join("\n"),
    metrics: await (await app.request("/metrics")).text(),
    database: await shared.text(),
  };
  const answers = said.answers.join("\n");
  expect([lines, said.refusals, said.pages, said.answers].map(({ length }) => length > 20)).toEqual(
    Array(4).fill(true),
  );
  expect([lines.length, said.refusals.length, homes.size].every((count) => count > 200)).toBe(true);
  expect(told.metrics).toContain('route="/trpc/auth.login",status="401"');
  expect(privateKeys).toHaveLength(2);

  const allowed: readonly (readonly [place: string, text: string, homes: readonly Home[]])[] = [
    ["log", told.log, []],
    ["refusals", told.refusals, ["refusal", "reply"]],
    ["pages", told.pages, ["reply"]],
    ["metrics", told.metrics, []],
    ["database", told.database, ["database"]],
    ["answers", answers, ["reply", "database"]],
  ];
  const strays = allowed.flatMap(([place, text, allowedHomes]) =>
    [...canariesIn(text)]
      .filter((canary) => !allowedHomes.includes(homes.get(canary) ?? "nowhere"))
      .map((canary) => `${canary} is in the ${place}`),
  );
  expect(strays).toEqual([]);
  const stored = canariesIn(told.database);
  expect([...homes].filter(([canary, home]) => home === "database" && !stored.has(canary))).toEqual([]);

  const { "a temporary password": temporary, "the set-up code": code, ...issued } = secrets;
  const never = { "the set-up code": code, "a private key": privateKeys };
  const known = { ...never, ...issued, "a temporary password": temporary, "everybody's password": [password] };
  expect([...leaksIn(told, known), ...leaksIn({ answers }, never)]).toEqual([]);
  // It is told once, to the administrator who asked for it.
  expect(leaksIn(Object.fromEntries(said.answers.entries()), { temporary })).toHaveLength(1);
  const { log: logged, refusals, pages, metrics, database } = told;
  expect([logged, refusals, pages, metrics].join("\n")).not.toMatch(/eyJ[\w-]{10}|v1\.[\w-]{60}|\$argon2/);
  expect(database).not.toMatch(/eyJ[\w-]{10}|v1\.[\w-]{60}/);
});

function leaksIn(
  places: Readonly<Record<string, string>>,
  secrets: Readonly<Record<string, readonly string[]>>,
): readonly string[] {
  return Object.entries(places).flatMap(([place, text]) =>
    Object.entries(secrets)
      .filter(([, texts]) => texts.some((secret) => text.includes(secret)))
      .map(([what]) => `${what} is in the ${place}`),
  );
}

type Headers = Readonly<Record<string, string>>;

interface Sent {
  readonly status: number;
  /** As it is sent back; empty where none was set. */
  readonly cookie: string;
  readonly body: string;
}

/** Sends what is planted, and notes what is said to it. */
function sower(app: TestApp, { plant, said }: { readonly plant: Plant; readonly said: Said }) {
  const device = plant("database");

  /** Whatever a client can say of itself, of a page of somebody's. */
  const everyHeader = (): Headers => ({
    "user-agent": device,
    cookie: `countersign=${plant()}; ${plant()}=${plant()}`,
    origin: `https://${plant()}.example`,
    referer: `https://${plant()}.example/?${plant()}`,
    "x-request-id": plant(),
    "x-forwarded-for": plant(),
    "x-http-method-override": plant(),
    "trpc-accept": plant(),
    [`x-${plant()}`]: plant(),
  });

  async function send(path: string, init: RequestInit = {}): Promise<Sent> {
    const reply = await app.request(path, { redirect: "manual", ...init });
    const headers = [...reply.headers].filter(([name]) => name !== "set-cookie");
    const body = await reply.text();
    const text = `${headers.join("\n")}\n${body}`;
    const isPage = reply.headers.get("content-type")?.startsWith("text/html") || reply.headers.has("location");
    // Of a batch, some were refused; and a stream says so by itself.
    const isRefusal = reply.status >= 400 || reply.status === 207 || body.includes("event: serialized-error");
    (isPage ? said.pages : isRefusal ? said.refusals : said.answers).push(text);
    return { status: reply.status, cookie: reply.headers.get("set-cookie")?.split(";")[0] ?? "", body };
  }

  return {
    plant,
    said,
    everyHeader,
    send,
    post: (path: string, body: string, headers: Headers) => send(path, { method: "POST", headers, body }),
    /** Calls a procedure. @param call.at Where the router is. */
    async call(
      { path, type }: { readonly path: string; readonly type: string },
      body: string,
      { at = "/trpc", headers }: { readonly at?: string; readonly headers: Headers },
    ): Promise<Sent> {
      const all = { "content-type": "application/json", ...everyHeader(), ...headers };
      if (type === "mutation") return send(`${at}/${path}`, { method: "POST", headers: all, body });
      return send(`${at}/${path}?input=${encodeURIComponent(body)}&${plant()}=${plant()}`, { headers: all });
    },
    /** Sends a form of a page, with what it does not ask for. */
    submit(path: string, fields: Readonly<Record<string, string>>, headers: Headers = {}): Promise<Sent> {
      const body = new URLSearchParams({ return_to: `/${plant("reply")}`, [plant()]: plant(), ...fields });
      return send(path, { method: "POST", headers: { ...everyHeader(), origin: app.url, ...headers }, body });
    },
  };
}
type Sower = ReturnType<typeof sower>;

const envelope = (json: unknown) => JSON.stringify({ json });
const bearer = ({ accessToken }: SignedIn): Headers => ({ authorization: `Bearer ${accessToken}` });

/** Returns what the server made that is secret, by what it is. */
async function plantEverywhere(app: TestApp, sowing: Sower) {
  const code = (await app.auth.start()).setupCode;
  await plantInSetUp(sowing, code);
  const alice = await signUp(app);
  await (await administrator(app)).create({ username: "boss", password, roles: ["admin"] });
  const boss = await signIn(app, "boss");
  const [asAlice, asBoss] = [bearer(alice), bearer(boss)];
  await plantInProcedures(sowing, { asAlice, asBoss });
  expect((await app.request("/users/me", { headers: asAlice })).status).toBe(200);
  await plantInGoodInput(sowing, { alice, boss });
  await plantInRequests(app, sowing);
  const temporary = await plantAroundTemporaryPassword(sowing, asBoss);
  const cookies = await plantInPages(app, sowing);
  // Nothing above was refused for want of a sign-in.
  for (const headers of [asBoss, { cookie: cookies.at(-1) ?? "" }])
    expect((await app.request("/users/me", { headers })).status).toBe(200);
  return {
    "the set-up code": [code, code.replaceAll("-", "")],
    "a session cookie": cookies.map((cookie) => cookie.slice(cookie.indexOf("=") + 1)),
    "a temporary password": [temporary],
    "a refresh token": [alice.refreshToken, boss.refreshToken],
  };
}

/** The first account is made on a page. */
async function plantInSetUp({ plant, everyHeader, send, submit }: Sower, code: string): Promise<void> {
  const typed = () => ({ username: plant("reply"), email: `${plant("reply")}@example.com` });
  await send(`/setup?${plant()}=${plant()}`, { headers: everyHeader() });
  await submit("/setup", { ...typed(), code: plant(), password: plant() });
  await submit("/setup", { ...typed(), code, password: "short" });
  await submit("/setup", { ...typed(), code });
  const wanted = { username: plant("database"), email: `${plant("database")}@example.com`, password: plant() };
  expect((await submit("/setup", { ...wanted, code })).status).toBe(303);
  expect((await submit("/setup", { ...typed(), code, password: plant() })).status).toBe(403);
}

async function plantInProcedures(
  { plant, call }: Sower,
  { asAlice, asBoss }: { readonly asAlice: Headers; readonly asBoss: Headers },
): Promise<void> {
  // It takes no input, and Alice is still needed.
  const procedures = accessMatrix(testRouter).filter(({ path }) => path !== "account.remove");
  for (const procedure of procedures) {
    const { path } = procedure;
    for (const headers of [{}, asAlice, asBoss]) {
      await call(procedure, envelope(plant()), { headers });
      await call(procedure, envelope([plant()]), { headers });
      await call(procedure, envelope({ [plant("refusal")]: plant() }), { headers });
      await call(procedure, envelope(Object.fromEntries(fields.map((name) => [name, plant()]))), { headers });
      await call(procedure, `{"json": ${plant()}`, { headers });
      const meta = { values: { [plant()]: [plant()] } };
      await call(procedure, JSON.stringify({ json: null, meta }), { headers });
    }
    for (const name of fields) {
      // A wrong type, and the right one with everything else missing.
      await call(procedure, envelope({ [name]: { [plant()]: plant() } }), { headers: asBoss });
      if (/logout|revoke|account\.update/.test(path)) continue;
      // One of the tests' own answers with the text that it is given.
      const isGivenBack = path === "write" && name === "text";
      await call(procedure, envelope({ [name]: plant(isGivenBack ? "reply" : "nowhere") }), { headers: asBoss });
    }
    for (const authorization of strange(plant)) await call(procedure, "{}", { headers: { authorization } });
  }
}

const strange = (plant: Plant) => [`Bearer ${plant()}`, `Bearer ${plant()} ${plant()}`, `Basic ${plant()}`, plant()];

/** What is of the right form, and mostly of the wrong content. */
async function plantInGoodInput(
  { plant, call }: Sower,
  { alice, boss }: { readonly alice: SignedIn; readonly boss: SignedIn },
): Promise<void> {
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
    ["admin.keys.rotate", { immediately: true }],
  ];
  for (const [path, input] of tries) await call({ path, type: "mutation" }, envelope(input), { headers: bearer(boss) });
}

/** Where no procedure is called, and where none could be. */
async function plantInRequests(app: TestApp, { plant, said, everyHeader, send, post }: Sower): Promise<void> {
  await send(`/trpc/${plant("refusal")}?input=${plant()}`);
  await send(`/trpc/auth.${plant("refusal")},ping?batch=1`);
  await send(`/trpc/${plant()}%E0%A4%A`);
  await send(`/trpc/ping?connectionParams=${plant()}`);
  await post("/trpc/auth.login", plant(), { "content-type": `text/plain; ${plant()}=${plant()}` });
  await post("/trpc/auth.login", plant(), { "content-type": `multipart/form-data; boundary=${plant()}` });
  await post("/trpc/auth.login", plant().repeat(10_000), { "content-type": "application/json" });

  for (const path of ["/users/me", "/token", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/nope"]) {
    for (const authorization of strange(plant)) {
      await send(`${path}?${plant()}=${plant()}`, { headers: { ...everyHeader(), authorization } });
      await post(path, plant(), { ...everyHeader(), authorization });
    }
  }
  await send(`/${plant()}/${plant()}`);
  await send(`/docs/${plant()}/${plant()}`);
  await send(`/.well-known/${plant()}`);
  await send("/.well-known/jwks.json");
  await post("/nope", plant().repeat(10_000), {});

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
    said.refusals.push(`${headers}\n${body}`);
  }
}

/** Pages show again what was typed, but for what is secret. Returns the cookies that signed in, the last of them Boss's. */
async function plantInPages(
  app: TestApp,
  { plant, everyHeader, send, submit, call }: Sower,
): Promise<readonly string[]> {
  const foreign = () => ({ origin: `https://${plant()}.example` });
  const withCookie = ({ cookie }: Sent) => ({ cookie: `${cookie}; ${plant()}=${plant()}` });
  await submit("/sign-up", { username: plant("reply"), email: plant("reply"), password: plant() });
  await submit("/sign-up", { username: plant("reply"), password: "password" });
  await submit("/sign-up", { username: "alice", email: plant("reply"), password: plant() });
  const wanted = { username: plant("database"), email: `${plant("database")}@example.com`, password: plant() };
  const signedUp = await submit("/sign-up", wanted);
  await submit("/sign-in", { username: plant("reply"), password: plant() });
  await submit("/sign-in", { username: "alice", password: plant(), email: plant("reply") });
  await submit("/sign-in", { password: plant() });
  await submit("/sign-in", { username: plant("reply"), password }, foreign());
  const signedIn = await submit("/sign-in", { username: "boss", password });
  await submit("/reauth", { username: plant("reply"), password: plant() }, withCookie(signedIn));
  await submit("/reauth", { username: plant("reply"), password: plant() });
  const confirmed = await submit("/reauth", { password }, withCookie(signedIn));
  const entries = [signedUp, signedIn, confirmed];
  expect(entries.map(({ status }) => status)).toEqual([303, 303, 303]);
  await submit("/preferences", { language: plant(), scheme: plant(), back: `/${plant("reply")}` });
  await submit("/preferences", { language: plant() }, foreign());

  for (const headers of [everyHeader(), { ...everyHeader(), ...withCookie(confirmed) }]) {
    for (const path of ["/sign-in", "/sign-up", "/setup", "/reauth"]) {
      const search = { return_to: `/${plant("reply")}`, for: plant(), username: plant(), password: plant() };
      await send(`${path}?${new URLSearchParams(search)}`, { headers });
    }
    // Whoever has to sign in comes back to the address.
    for (const path of ["/", "/account", "/account/devices", "/admin", "/developer", "/.well-known/change-password"])
      await send(`${path}?${plant("reply")}=${plant("reply")}`, { headers });
  }

  // Two that take no input would end what signs in below.
  const others = ["account.remove", "auth.sessions.revokeOthers"];
  const ours = accessMatrix(testRouter).filter(
    ({ path }) => /^(?:auth|account|users|admin)\./.test(path) && !others.includes(path),
  );
  for (const procedure of [...ours, { path: "developer", type: "query" }]) {
    for (const headers of [{ origin: app.url, ...withCookie(confirmed) }, { origin: app.url }, {}]) {
      const given = { at: "/pages/trpc", headers };
      await call(procedure, envelope(Object.fromEntries(fields.map((name) => [name, plant()]))), given);
      await call(procedure, envelope({ username: "alice", password: plant() }), given);
      await call(procedure, `{"json": ${plant()}`, given);
    }
  }
  return entries.map(({ cookie }) => cookie);
}

/** Of somebody who forgot theirs: it is told to the administrator, once. */
async function plantAroundTemporaryPassword({ plant, call, submit }: Sower, asBoss: Headers): Promise<string> {
  const resultOf = async (path: string, input: unknown) => {
    const { status, body } = await call({ path, type: "mutation" }, envelope(input), { headers: asBoss });
    expect(status, body).toBe(200);
    return JSON.parse(body).result.data.json;
  };
  const username = plant("database");
  const { id } = await resultOf("users.create", { username, password: plant() });
  const { password: temporary } = await resultOf("users.setTemporaryPassword", { id });
  const { accessToken } = await resultOf("auth.login", { username, password: temporary });
  const headers = { authorization: `Bearer ${accessToken}` };
  for (const newPassword of ["short", "password", username])
    await call(
      { path: "auth.changePassword", type: "mutation" },
      envelope({ currentPassword: temporary, newPassword }),
      { headers },
    );
  await call({ path: "auth.login", type: "mutation" }, envelope({ password: temporary }), { headers: {} });
  await submit("/sign-in", { username: plant("reply"), password: temporary });
  await submit("/sign-up", { username: plant("reply"), password: temporary, email: plant("reply") });
  await submit("/token", { username, password: temporary, scope: plant() });
  await submit("/token", { username: plant(), password: temporary });
  return temporary;
}
