/** What a form of the pages sends goes the way of the procedure: the same cookie, the same refusals, the same audit. */
import { describe, expect, it, test } from "vitest";
import { pageIn, post } from "../support/pages-without-scripts.ts";
import { signUp } from "../support/people.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";

type Fields = Readonly<Record<string, string>>;

interface Answer {
  /** `null` where it went well. */
  readonly reason: string | null;
  readonly status: number;
  /** The cookie's attributes, and whether it has a value. */
  readonly cookie: string | null;
}

const origin = (app: TestApp) => ({ origin: app.url });

async function byForm(app: TestApp, name: string, fields: Fields, headers: Fields = origin(app)): Promise<Answer> {
  const body = new URLSearchParams(fields);
  const reply = await app.request(`/${name}`, { method: "POST", body, headers, redirect: "manual" });
  const page = await pageIn(reply);
  return { reason: page?.failure?.reason ?? null, status: reply.status, cookie: attributesOf(reply) };
}

const procedures: Fields = { "sign-in": "login", "sign-up": "register", setup: "setUp" };

async function byCall(app: TestApp, name: string, fields: Fields, headers: Fields = origin(app)): Promise<Answer> {
  const reply = await app.call(`auth.cookie.${procedures[name]}`, { json: fields }, headers);
  const body = await reply.json();
  return { reason: body.error?.json.data.reason ?? null, status: reply.status, cookie: attributesOf(reply) };
}

function attributesOf(reply: Response): string | null {
  return reply.headers.get("set-cookie")?.replace(/=v1\.[^;]+/, "=v1…") ?? null;
}

async function auditOf(app: TestApp): Promise<unknown[]> {
  const { db } = await app.auth.start();
  const events = await db.selectFrom("audit_events").selectAll().orderBy("id").execute();
  return events.map(({ kind, details }) => ({ kind, details: JSON.parse(details) }));
}

async function setupCodeOf(app: TestApp): Promise<string> {
  return (await app.auth.start()).setupCode;
}

const alice = { username: "alice", password };
const cases: readonly {
  readonly what: string;
  readonly name: string;
  readonly fields: Fields;
  readonly headers?: Fields;
  /** Whether there is an account before. */
  readonly isNew?: boolean;
  readonly reason: string | null;
}[] = [
  { what: "a good sign-in", name: "sign-in", fields: alice, reason: null },
  { what: "a wrong password", name: "sign-in", fields: { ...alice, password: "wrong" }, reason: "INVALID_CREDENTIALS" },
  { what: "an unknown name", name: "sign-in", fields: { ...alice, username: "bob" }, reason: "INVALID_CREDENTIALS" },
  { what: "no name", name: "sign-in", fields: { username: "", password }, reason: "BAD_REQUEST" },
  {
    what: "the page of another website",
    name: "sign-in",
    fields: alice,
    headers: { origin: "https://evil.example" },
    reason: "ORIGIN_NOT_ALLOWED",
  },
  { what: "no page at all", name: "sign-in", fields: alice, headers: {}, reason: "ORIGIN_NOT_ALLOWED" },
  { what: "a good sign-up", name: "sign-up", fields: { ...alice, username: "bob" }, reason: null },
  { what: "a taken name", name: "sign-up", fields: alice, reason: "USERNAME_TAKEN" },
  {
    what: "a weak password",
    name: "sign-up",
    fields: { username: "bob", password: "password" },
    reason: "WEAK_PASSWORD",
  },
  { what: "a name with a space", name: "sign-up", fields: { username: "b o b", password }, reason: "BAD_REQUEST" },
  {
    what: "a wrong code",
    name: "setup",
    fields: { ...alice, code: "0".repeat(20) },
    isNew: true,
    reason: "INVALID_CREDENTIALS",
  },
];

test.each(cases)("$what: $reason", async ({ name, fields, headers, isNew = false, reason }) => {
  const results: (Answer & { audit: unknown[] })[] = [];
  for (const send of [byForm, byCall]) {
    await using app = await testApp();
    if (!isNew) await signUp(app);
    const answer = await send(app, name, fields, headers);
    expect(answer.reason).toBe(reason);
    results.push({ ...answer, audit: await auditOf(app) });
  }
  const [form, call] = results;
  // A form that went well leads on; what is refused has the same status.
  expect({ ...form, status: 0 }).toEqual({ ...call, status: 0 });
  expect(form?.status).toBe(reason === null ? 303 : call?.status);
  if (reason === null) expect(form?.cookie).toMatch(/^countersign=v1…; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Lax$/);
  else expect(form?.cookie).toBeNull();
});

test("a good sign-in leads to where it was asked for, and nobody keeps the reply that has its cookie", async () => {
  await using app = await testApp();
  await signUp(app);
  const reply = await post(app, "/sign-in", { ...alice, return_to: "/notes" });
  expect([reply.status, reply.headers.get("location")]).toEqual([303, "/notes"]);
  expect(reply.headers.get("cache-control")).toBe("no-store");
});

test.each([
  ["", null],
  ["bob@example.com", "bob@example.com"],
])("a sign-up whose e-mail address is '%s' has %s", async (email, stored) => {
  await using app = await testApp();
  expect(await byForm(app, "sign-up", { username: "bob", email, password })).toMatchObject({ status: 303 });
  const { db } = await app.auth.start();
  expect(await db.selectFrom("accounts").select(["username", "email"]).execute()).toEqual([
    { username: "bob", email: stored },
  ]);
});

test("a refusal has the headers that go with its status", async () => {
  await using app = await testApp({ limits: { loginsPerAccount: 1 } });
  await signUp(app);
  const body = new URLSearchParams({ username: "alice", password: "wrong" });
  const send = () => app.request("/sign-in", { method: "POST", body, headers: origin(app) });
  const [wrong, tooMany] = [await send(), await send()];
  expect([wrong.status, wrong.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
  expect([tooMany.status, tooMany.headers.get("retry-after")]).toEqual([429, expect.stringMatching(/^\d+$/)]);
});

test.each([
  ["/account?tab=2", "/account?tab=2"],
  ["/sign-up?return_to=/notes", "/sign-up?return_to=%2Fnotes"],
  ["/sign-in", "/sign-in"],
  ["/reauth?for=profile", "/reauth"],
  ["//evil.example/sign-in", "/account"],
  ["/sign-in?return_to=//evil.example", "/sign-in?return_to=%2Faccount"],
  ["//evil.example", "/account"],
  ["/sign-in//evil.example", "/account"],
])("a choice of language leads back from %s to %s", async (back, place) => {
  await using app = await testApp();
  const body = new URLSearchParams({ language: "de", back });
  const reply = await app.request("/preferences", { method: "POST", body, headers: origin(app), redirect: "manual" });
  expect([reply.status, reply.headers.get("location")]).toEqual([303, place]);
  expect(reply.headers.get("set-cookie")).toMatch(/^countersign-language=de; /);
});

describe("the first account", () => {
  it.each([
    ["by a form", byForm],
    ["by a call", byCall],
  ])("is an administrator's, of whoever has the code, once: %s", async (_, send) => {
    await using app = await testApp();
    const code = await setupCodeOf(app);
    expect((await app.request("/setup", { redirect: "manual" })).status).toBe(200);
    expect(await send(app, "setup", { ...alice, code })).toMatchObject({ reason: null });
    const { db } = await app.auth.start();
    expect(await db.selectFrom("accounts").select(["username", "roles"]).execute()).toEqual([
      { username: "alice", roles: '["admin"]' },
    ]);
    expect(await auditOf(app)).toMatchObject([{ kind: "set_up" }, { kind: "sign_in" }]);
    const again = await byCall(app, "setup", { username: "mallory", password, code });
    expect(again).toMatchObject({ reason: "REGISTRATION_CLOSED", cookie: null });
    const page = await app.request("/setup", { redirect: "manual" });
    expect([page.status, page.headers.get("location")]).toEqual([303, "/sign-in"]);
  });

  it("is one, when two make it at once", async () => {
    await using app = await testApp();
    const code = await setupCodeOf(app);
    const answers = await Promise.all([
      byCall(app, "setup", { username: "ada", password, code }),
      byForm(app, "setup", { username: "bob", password, code }),
    ]);
    expect(answers.map(({ reason }) => reason).sort()).toEqual(["REGISTRATION_CLOSED", null].sort());
    const { db } = await app.auth.start();
    expect(await db.selectFrom("accounts").select("username").execute()).toHaveLength(1);
  });

  it("is nobody's whose guesses are too many", async () => {
    await using app = await testApp({ limits: { registrationsPerAddress: 3 } });
    const guess = () => byCall(app, "setup", { ...alice, code: "0".repeat(20) });
    const reasons = [await guess(), await guess(), await guess(), await guess()].map(({ reason }) => reason);
    expect(reasons).toEqual([...Array(3).fill("INVALID_CREDENTIALS"), "RATE_LIMITED"]);
  });

  it("is made once, also where somebody has signed up meanwhile", async () => {
    await using app = await testApp();
    await signUp(app);
    const answer = await byCall(app, "setup", { username: "ada", password, code: await setupCodeOf(app) });
    expect(answer).toMatchObject({ reason: "REGISTRATION_CLOSED" });
  });
});
