/** What strangers send: nothing of it is a 500, ends the process, changes an object that everybody shares, or keeps others waiting. */
import fc from "fast-check";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { isLong } from "../support/long-tests.ts";
import { call, password, refresh, signIn, signUp } from "../support/wire.ts";
import { type Attacked, attacked, origin } from "./attacked.ts";
import { type ApiDescription, fuzzedCalls, newPerson, sendCalls } from "./fuzzed-calls.ts";
import { setUp } from "./set-up.ts";
import { headerText, naughtyStrings, strangeText } from "./strange-text.ts";

const timeout = isLong ? 3_600_000 : 120_000;
vi.setConfig({ testTimeout: timeout, hookTimeout: 60_000 });

const runs = isLong ? 10_000 : 150;
/** Sent between two looks at how the server is. */
const runsALook = 25;

let target: Attacked;
beforeAll(async () => {
  target = await attacked();
  await setUp(target.url);
  await signUp(target.url, "alice");
  return () => target[Symbol.asyncDispose]();
});

/** Sends as many of something as there are runs. What keeps others waiting is found among those of one look. */
async function trying<Input>(
  inputs: fc.Arbitrary<Input>,
  begin: () => Promise<(input: Input) => Promise<void>>,
): Promise<void> {
  const before = await target.memory();
  const ofOneLook = fc.array(inputs, { minLength: runsALook, maxLength: runsALook });
  await fc.assert(
    fc.asyncProperty(ofOneLook, async (several) => {
      const send = await begin();
      await target.expectPrompt(async () => {
        for (const input of several) await send(input);
      });
    }),
    // So that there is time to say which input it was.
    { numRuns: runs / runsALook, interruptAfterTimeLimit: timeout / 2, markInterruptAsFailure: true },
  );
  await target.expectAsBefore(before);
}

/** Asks, and looks at the answer: it is one of those that may be, tells nothing of the server's insides, and leads nowhere else. */
async function ask(path: string, init: RequestInit, ...statuses: readonly number[]): Promise<void> {
  const reply = await fetch(`${target.url}${path}`, { redirect: "manual", ...init });
  const text = await reply.text();
  expect(statuses, `${path}: ${text.slice(0, 300)}`).toContain(reply.status);
  expect(text).not.toMatch(/node_modules|at .*\.ts:\d|SqliteError/);
  const location = reply.headers.get("location") ?? "/";
  expect(new URL(location, target.url).origin, location).toBe(target.url);
}

/** A text with something of it taken out, something strange put in, or both. */
function nearly(good: string, strange: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(fc.nat(good.length), fc.oneof(fc.constant(0), fc.nat(12)), fc.oneof(fc.constant(""), strange))
    .map(([at, length, text]) => good.slice(0, at) + text + good.slice(at + length))
    .filter((text) => text !== good);
}

/** What a `Cookie` header says of a cookie whose text comes last in it: without the spaces around it, and decoded. */
function cookieIn(text: string): string {
  const value = (text.split(";")[0] ?? "").replaceAll(/^[\t ]+|[\t ]+$/g, "");
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

async function sessionCookie(username: string): Promise<string> {
  const { headers } = await call(target.url, "auth.cookie.login", {
    input: { username, password },
    headers: { origin },
  });
  return /^__Host-countersign=([^;]+)/.exec(headers.get("set-cookie") ?? "")?.[1] ?? expect.fail("no cookie");
}

/** What each form is answered, where nobody is signed in and nobody's password is in it. */
const answersToForms = {
  "/token": [400],
  "/sign-in": [400, 401],
  "/sign-up": [303, 400, 409],
  "/setup": [400, 403],
  "/reauth": [401],
  "/preferences": [303],
  "/trpc/auth.login": [415],
} as const;
const answersToFiles = { ...answersToForms, "/sign-in": [400], "/sign-up": [400], "/setup": [400] } as const;
const paths = ["/token", "/sign-in", "/sign-up", "/setup", "/reauth", "/preferences", "/trpc/auth.login"] as const;
const fields = "username password email code grant_type refresh_token scope return_to back language scheme".split(" ");

describe("fuzzed", () => {
  it("what is nearly a token or a cookie proves nothing, nor what is none at all", async () => {
    const { accessToken } = await signIn(target.url, "alice");
    const cookie = await sessionCookie("alice");
    const bearer = (text: string) => ({ authorization: `Bearer ${text}` });
    const cookieOf = (text: string) => ({ cookie: `__Host-countersign=${text}` });
    const credentials = fc.oneof(
      nearly(accessToken, headerText)
        // The spaces after the scheme may be many, and those at the end are not the header's.
        .filter((text) => text.replaceAll(/^ +|[\t ]+$/g, "") !== accessToken)
        .map(bearer),
      nearly(cookie, headerText)
        .filter((text) => cookieIn(text) !== cookie)
        .map(cookieOf),
      headerText.map((authorization) => ({ authorization })),
      headerText.map(cookieOf),
    );
    const expectAll = async (headers: Record<string, string>, status: number) => {
      for (const path of ["/users/me", "/trpc/whoami"]) await ask(path, { headers }, status);
    };
    for (const good of [bearer(accessToken), cookieOf(cookie)]) await expectAll(good, 200);
    await trying(credentials, async () => (headers) => expectAll(headers, 401));
    for (const good of [bearer(accessToken), cookieOf(cookie)]) await expectAll(good, 200);
  });

  it("what is nearly a refresh token gets no tokens, and ends no session", async () => {
    const tokens = await signIn(target.url, "alice");
    await trying(nearly(tokens.refreshToken, strangeText), async () => async (refreshToken) => {
      const isRead = refreshToken !== "" && refreshToken.length <= 512;
      const { status } = await call(target.url, "auth.refresh", { input: { refreshToken } });
      expect(status, JSON.stringify(refreshToken)).toBe(isRead ? 401 : 400);
      const body = new URLSearchParams({ grant_type: "refresh_token", refresh_token: refreshToken });
      await ask("/token", { method: "POST", body }, 400);
    });
    expect(await refresh(target.url, tokens)).toMatchObject({ status: 200 });
  });

  it("calls of every procedure are answered, and refused to whoever may not make them", async () => {
    const { url } = target;
    const description = (await (await fetch(`${url}/openapi.json`)).json()) as ApiDescription;
    const attempts = fc.record({
      // Most of what takes an input is for administrators.
      by: fc.constantFrom("nobody", "a person", "an administrator", "an administrator"),
      calls: fuzzedCalls(description),
    });
    let made = 0;
    await trying(attempts, async () => {
      const [person, boss, about] = [await newPerson(url), await newPerson(url, ["admin"]), await newPerson(url)];
      const callers = { nobody: null, "a person": person, "an administrator": boss };
      return async ({ by, calls }) => {
        made += await sendCalls(url, calls, { as: callers[by], about });
      };
    });
    // Not all are stopped by a schema.
    expect(made).toBeGreaterThan(isLong ? 200 : 0);
  });

  it("forms and files are answered, and whoever guesses is refused", async () => {
    const name = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...fields) }, strangeText);
    const value = fc.oneof(
      { weight: 2, arbitrary: strangeText },
      fc.constantFrom("alice", "refresh_token", "password", "/account", "notes:read", "dark", "de"),
    );
    const guess = fc.tuple(fc.constant("password"), strangeText);
    const entry = fc.oneof({ weight: 2, arbitrary: fc.tuple(name, value) }, fc.constant(["username", "alice"]), guess);
    const inputs = fc.record({ path: fc.constantFrom(...paths), entries: fc.array(entry, { maxLength: 6 }) });
    await trying(inputs, async () => async ({ path, entries }) => {
      const files = new FormData();
      for (const [name, value] of entries) files.append(name, new Blob([value]), value);
      const headers = { origin };
      await ask(path, { method: "POST", body: files, headers }, ...answersToFiles[path]);
      // A password that was chosen at a sign-up must not be guessed.
      const body = new URLSearchParams(
        entries.map(([name, value]) => [name, name === "password" && path !== "/sign-up" ? `not ${value}` : value]),
      );
      await ask(path, { method: "POST", body, headers }, ...answersToForms[path]);
    });
  });
});

describe("naughty strings", () => {
  it("are names, passwords and addresses like others, or refused", async () => {
    expect(naughtyStrings.length).toBeGreaterThan(isLong ? 400 : 20);
    const taken = { username: 0, password: 0 };
    const { url } = target;

    /** Signs up, and then in by the same text; or is refused. */
    async function join(input: { username: string; password: string; email?: string }): Promise<boolean> {
      const { status, reason } = await call(url, "auth.register", { input });
      expect([200, 400, 409], `${reason} for ${JSON.stringify(input)}`).toContain(status);
      if (status !== 200) return false;
      const { username, password } = input;
      expect(await call(url, "auth.login", { input: { username, password } })).toMatchObject({ reason: null });
      return true;
    }

    async function send(text: string, index: number): Promise<void> {
      for (const input of [
        { username: text, password: text },
        { username: "alice", password: text },
        { username: `${text}@example.com`, password: text },
      ]) {
        const { status, reason } = await call(url, "auth.login", { input });
        expect([400, 401], `${reason} for ${JSON.stringify(text)}`).toContain(status);
      }
      if (await join({ username: text, password })) taken.username += 1;
      if (await join({ username: `naughty-${index}`, password: text })) taken.password += 1;
      await join({ username: `addressed-${index}`, password, email: text });
      await ask(`/${encodeURIComponent(text)}?${encodeURIComponent(text)}`, {}, 200, 302, 404);
      await ask("/token", { method: "POST", body: new URLSearchParams({ [text]: text, username: text }) }, 400);
    }

    const before = await target.memory();
    for (let begun = 0; begun < naughtyStrings.length; begun += runsALook) {
      await target.expectPrompt(async () => {
        const several = naughtyStrings.slice(begun, begun + runsALook);
        for (const [index, text] of several.entries()) await send(text, begun + index);
      });
    }
    await target.expectAsBefore(before);
    expect(taken.username).toBeGreaterThan(0);
    expect(taken.password).toBeGreaterThan(0);
  });
});
