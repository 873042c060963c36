/**
 * Whether an answer tells that an account exists: by its words, its headers or its limits. enumeration-timing.test.ts measures the
 * time that it takes. Nobody can ask for a new password of their own here, which elsewhere tells the most: an administrator makes a
 * temporary one.
 */
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { administrator } from "../support/people.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";
import { unlimited } from "../support/unlimited.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const kinds = ["existing", "unknown", "disabled", "passwordless", "expired"] as const;
type Kind = (typeof kinds)[number];
const taken = kinds.filter((kind) => kind !== "unknown");

/** As long for each, and found nowhere else in an answer. */
const usernameOf = (kind: Kind) => `grace-${kinds.indexOf(kind)}`;
const emailOf = (kind: Kind) => `${usernameOf(kind)}@example.com`;
const names = [
  ["username", usernameOf],
  ["email", emailOf],
] as const;

/** Somebody with an account of their own, who would like to know about others'. */
const mallory = { username: "mallory", password: "a password of her own" };

type Fields = Readonly<Record<string, string>>;

interface Accounts extends TestApp {
  /** The cookies of those who signed in while they could. */
  readonly cookies: Readonly<Record<Exclude<Kind, "unknown"> | "mallory" | "signed out", string>>;
  /** What was good until the account of that kind was `expired`. */
  readonly temporaryPassword: string;
}

/** A server with an account of each kind. */
async function withAccounts(options: Parameters<typeof testApp>[0]): Promise<Accounts> {
  const app = await testApp(options);
  const { register } = app.auth.router.createCaller(app.asNobody());
  const [existing, disabled, passwordless, expired] = await Promise.all(
    taken.map((kind) => register({ username: usernameOf(kind), email: emailOf(kind), password })),
  );
  if (!existing || !disabled || !passwordless || !expired) throw new Error("somebody could not sign up");
  await register(mallory);
  const users = await administrator(app);
  const { password: temporaryPassword } = await users.setTemporaryPassword({ id: expired.user.id });

  const cookieOf = async (fields: Fields) => {
    const reply = await post(app, "/sign-in", fields);
    return reply.headers.get("set-cookie")?.split(";")[0] ?? expect.fail("no cookie");
  };
  const byName = (kind: Kind, own = password) => cookieOf({ username: usernameOf(kind), password: own });
  const cookies = {
    existing: await byName("existing"),
    disabled: await byName("disabled"),
    passwordless: await byName("passwordless"),
    expired: await byName("expired", temporaryPassword),
    mallory: await cookieOf(mallory),
    "signed out": await byName("existing"),
  };
  await app.call("auth.logout", { json: {} }, { cookie: cookies["signed out"], origin: app.url });

  await users.disable({ id: disabled.user.id });
  const { db, now } = await app.auth.start();
  const accounts = db.updateTable("accounts");
  await accounts.set({ password_hash: null }).where("id", "=", passwordless.user.id).execute();
  await accounts
    .set({ password_expires_at: now() - 1 })
    .where("id", "=", expired.user.id)
    .execute();
  return { ...app, cookies, temporaryPassword };
}

/** A form, as a page of the server sends it. */
function post(app: TestApp, path: string, fields: Fields, headers: Fields = {}): Promise<Response> {
  const body = new URLSearchParams(fields);
  return app.request(path, { method: "POST", body, headers: { origin: app.url, ...headers }, redirect: "manual" });
}

interface Answer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** All of an answer but what is never the same twice, and whose name was asked for: a page has what was typed in it. */
async function whole(reply: Response, kind: Kind): Promise<Answer> {
  const headers = [...reply.headers].filter(([name]) => !["date", "x-request-id"].includes(name));
  return { status: reply.status, headers, body: (await reply.text()).replaceAll(usernameOf(kind), "…") };
}

/** Asks of each kind, one after the other, and expects to be answered to the byte what the first was. */
async function expectAlike<K extends Kind>(asked: readonly K[], ask: (kind: K) => Promise<Response>): Promise<Answer> {
  const answers = new Map<K, Answer>();
  for (const kind of asked) answers.set(kind, await whole(await ask(kind), kind));
  const [first = expect.fail("of nobody"), ...others] = answers.values();
  expect(answers.size).toBeGreaterThan(1);
  for (const other of others) expect(other).toEqual(first);
  return first;
}

const wrong = "not the password";

const waysToSignIn: Readonly<Record<string, (app: TestApp, fields: Fields) => Promise<Response>>> = {
  "auth.login": (app, fields) => app.call("auth.login", { json: fields }),
  "auth.cookie.login": (app, fields) => app.call("auth.cookie.login", { json: fields }, { origin: app.url }),
  "/token": (app, fields) => post(app, "/token", fields),
  "/sign-in": (app, fields) => post(app, "/sign-in", fields),
};

const waysToSignUp: typeof waysToSignIn = {
  "auth.register": (app, fields) => app.call("auth.register", { json: fields }),
  "auth.cookie.register": (app, fields) => app.call("auth.cookie.register", { json: fields }, { origin: app.url }),
  "/sign-up": (app, fields) => post(app, "/sign-up", fields),
};

const update = (app: TestApp, fields: Fields, cookie = "") =>
  app.call("account.update", { json: fields }, { cookie, origin: app.url });

const newcomer = { username: "newcomer", email: "newcomer@example.com", password };

/** Everything that tells, by its nature, that a name is taken. */
const waysToLearn: readonly ((app: Accounts, kind: Kind) => Promise<Response>)[] = names.flatMap(([field, nameOf]) => [
  ...Object.values(waysToSignUp).map(
    (signUp) => (app: Accounts, kind: Kind) => signUp(app, { ...newcomer, [field]: nameOf(kind) }),
  ),
  (app: Accounts, kind: Kind) => update(app, { [field]: nameOf(kind) }, app.cookies.mallory),
]);

const changePassword = (app: TestApp, currentPassword: string, cookie = "") =>
  app.call(
    "auth.changePassword",
    { json: { currentPassword, newPassword: "an even better horse battery" } },
    { cookie, origin: app.url },
  );

describe("without limits", () => {
  let app: Accounts;
  beforeAll(async () => {
    app = await withAccounts({ limits: unlimited });
    return () => app[Symbol.asyncDispose]();
  });

  describe.each(Object.entries(waysToSignIn))("%s", (path, signIn) => {
    it.each(names)("answers every kind of account alike, by its %s", async (_, nameOf) => {
      const answer = await expectAlike(kinds, (kind) => signIn(app, { username: nameOf(kind), password: wrong }));
      expect(answer.status).toBe(path === "/token" ? 400 : 401);
    });

    it("answers a temporary password that has ended as any wrong one", async () => {
      await expectAlike(["existing", "expired"], (kind) =>
        signIn(app, { username: usernameOf(kind), password: kind === "expired" ? app.temporaryPassword : wrong }),
      );
    });

    it("tells that an account is disabled to whoever has its password, and to nobody else", async () => {
      const reply = await signIn(app, { username: usernameOf("disabled"), password });
      expect(reply.status).toBe(path === "/token" ? 400 : 403);
      expect(await reply.text()).toContain("ACCOUNT_DISABLED");
    });
  });

  describe.each(Object.entries(waysToSignUp))("%s", (_, signUp) => {
    it.each(names)("tells of a taken %s that it is, and nothing of the account that has it", async (field, nameOf) => {
      const answer = await expectAlike(taken, (kind) => signUp(app, { ...newcomer, [field]: nameOf(kind) }));
      expect(answer).toMatchObject({ status: 409, body: expect.stringContaining(`${field.toUpperCase()}_TAKEN`) });
    });

    it("tells nothing of the names where the password is too weak", async () => {
      const answer = await expectAlike(kinds, (kind) =>
        signUp(app, { username: usernameOf(kind), email: emailOf(kind), password: "password" }),
      );
      expect(answer.body).toContain("WEAK_PASSWORD");
    });
  });

  describe("account.update", () => {
    it.each(names)("tells of a taken %s that it is, and nothing of the account that has it", async (field, nameOf) => {
      const answer = await expectAlike(taken, (kind) => update(app, { [field]: nameOf(kind) }, app.cookies.mallory));
      expect(answer).toMatchObject({ status: 409, body: expect.stringContaining(`${field.toUpperCase()}_TAKEN`) });
    });

    it.each(names)("tells a stranger nothing, whatever %s is asked for", async (field, nameOf) => {
      const answer = await expectAlike(kinds, (kind) => update(app, { [field]: nameOf(kind) }));
      expect(answer).toMatchObject({ status: 401, body: expect.stringContaining("TOKEN_MISSING") });
    });
  });

  const whoAreStillSignedIn = ["existing", "passwordless", "expired"] as const;

  describe("auth.changePassword", () => {
    it("answers a wrong password alike, whatever became of the right one", async () => {
      const answer = await expectAlike(whoAreStillSignedIn, (kind) => changePassword(app, wrong, app.cookies[kind]));
      expect(answer).toMatchObject({ status: 401, body: expect.stringContaining("INVALID_CREDENTIALS") });
    });

    it("tells nobody who was signed out whether the account is disabled", async () => {
      const cookies = { existing: app.cookies["signed out"], disabled: app.cookies.disabled };
      const answer = await expectAlike(["existing", "disabled"], (kind) =>
        changePassword(app, password, cookies[kind]),
      );
      expect(answer).toMatchObject({ status: 401, body: expect.stringContaining("SESSION_REVOKED") });
    });
  });

  describe("/reauth", () => {
    it("tells a stranger nothing, whatever name and password are sent", async () => {
      const answer = await expectAlike(kinds, (kind) => post(app, "/reauth", { username: usernameOf(kind), password }));
      expect(answer).toMatchObject({ status: 401, body: expect.stringContaining("TOKEN_MISSING") });
    });

    it("tells whoever is signed in of nobody else, whatever name and password are sent", async () => {
      const answer = await expectAlike(kinds, (kind) =>
        post(app, "/reauth", { username: usernameOf(kind), password }, { cookie: app.cookies.mallory }),
      );
      expect(answer).toMatchObject({ status: 401, body: expect.stringContaining("INVALID_CREDENTIALS") });
    });

    it("answers a wrong password alike, whatever became of the right one", async () => {
      const answer = await expectAlike(whoAreStillSignedIn, (kind) => {
        const typed = kind === "expired" ? app.temporaryPassword : wrong;
        return post(app, "/reauth", { password: typed }, { cookie: app.cookies[kind] });
      });
      expect(answer).toMatchObject({ status: 401, body: expect.stringContaining("INVALID_CREDENTIALS") });
    });

    it("tells nobody who was signed out whether the account is disabled", async () => {
      const cookies = { existing: app.cookies["signed out"], disabled: app.cookies.disabled };
      await expectAlike(["existing", "disabled"], (kind) =>
        post(app, "/reauth", { password }, { cookie: cookies[kind] }),
      );
    });
  });
});

it("an address is told fifty times an hour that a name is taken, and then the same of every name", async () => {
  await using app = await withAccounts({});
  for (let time = 0; time < 50; time += 1) {
    const reply = await waysToLearn[time % waysToLearn.length]?.(app, "existing");
    expect(reply?.status, `${time}`).toBe(409);
  }
  for (const ask of waysToLearn) {
    const answer = await expectAlike(kinds, (kind) => ask(app, kind));
    expect(answer).toMatchObject({ status: 429, body: expect.stringContaining("RATE_LIMITED") });
    expect(answer.headers).toContainEqual(["retry-after", "3600"]);
  }
  await app.clock.advance({ minutes: 61 });
  expect((await waysToLearn[0]?.(app, "existing"))?.status).toBe(409);
});

/** The kinds are asked for by e-mail address: those that have signed in by their username from here have a budget of their own. */
describe("where a name was tried too often", () => {
  let app: Accounts;
  beforeAll(async () => {
    app = await withAccounts({ limits: { loginsPerAccount: 3 } });
    return () => app[Symbol.asyncDispose]();
  });
  // Each way begins anew.
  afterEach(() => app.clock.advance({ minutes: 16 }));

  it.each(Object.entries(waysToSignIn))(
    "%s says so of every kind of account, as soon and alike",
    async (path, signIn) => {
      const refused = path === "/token" ? 400 : 401;
      for (const status of [refused, refused, refused, 429, 429]) {
        const answer = await expectAlike(kinds, (kind) => signIn(app, { username: emailOf(kind), password: wrong }));
        expect(answer.status).toBe(status);
        if (status === 429) expect(answer.headers).toContainEqual(["retry-after", "900"]);
      }
    },
  );
});

describe("where an address has tried too often", () => {
  let app: Accounts;
  beforeAll(async () => {
    app = await withAccounts({ limits: { loginsPerAddress: 1 } });
    for (let time = 0; time < 2; time += 1) await waysToSignIn["auth.login"]?.(app, { username: "nobody", password });
    return () => app[Symbol.asyncDispose]();
  });

  it.each(Object.entries(waysToSignIn))("%s says so of every kind of account alike", async (_, signIn) => {
    const answer = await expectAlike(kinds, (kind) => signIn(app, { username: emailOf(kind), password: wrong }));
    expect(answer.status).toBe(429);
    expect(answer.headers).toContainEqual(["retry-after", "900"]);
  });
});
