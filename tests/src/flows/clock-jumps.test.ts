/** A clock that was ahead, and is right again: what happened meanwhile lies in the future, and is no reason to believe, or to refuse, for that long. */
import { expect, it } from "vitest";
import { expectReason } from "../support/expect-reason.ts";
import { failingDatabase } from "../support/failing-database.ts";
import { bearer, refresh, signIn, signUp } from "../support/people.ts";
import { password, testApp } from "../support/test-app.ts";

const ahead = { hours: 1 };
const back = { hours: -1 };

it("a refresh token whose successor was made in the future is an old one, and ends the session", async () => {
  await using app = await testApp();
  const first = await signUp(app);
  await app.clock.advance(ahead);
  await refresh(app, first);
  await app.clock.advance(back);
  await expectReason(refresh(app, first), "SESSION_REUSED");
});

it("a refresh token whose successor another node made, with a clock that is a little ahead, gets the same one", async () => {
  await using app = await testApp({ refreshGraceSeconds: 1, clockToleranceSeconds: 5 });
  const first = await signUp(app);
  await app.clock.advance({ seconds: 4 });
  const { refreshToken } = await refresh(app, first);
  await app.clock.advance({ seconds: -4 });
  expect(await refresh(app, first)).toMatchObject({ refreshToken });
});

it("a session that ended before is known to have ended", async () => {
  await using app = await testApp();
  const alice = await signUp(app);
  await bearer(app, alice).auth.logout.mutate({});
  await app.clock.advance(ahead);
  await app.clock.advance(back);
  await expectReason(bearer(app, alice).whoami.query(), "SESSION_REVOKED");
});

it("whoever signed in meanwhile stays signed in, and signs in again for what needs a recent sign-in", async () => {
  await using app = await testApp();
  await signUp(app);
  await app.clock.advance(ahead);
  const alice = await signIn(app);
  await app.clock.advance(back);
  const now = bearer(app, await refresh(app, alice));
  expect(await now.whoami.query()).toMatchObject({ username: "alice" });
  await expectReason(now.dangerous.mutate(), "FRESH_LOGIN_REQUIRED");
});

it("guesses that were counted meanwhile keep nobody out until then", async () => {
  await using app = await testApp({ limits: { loginsPerAccount: 1 } });
  await signUp(app, "alice");
  const guess = (word: string) => app.client().login({ username: "alice", password: word });
  await app.clock.advance({ days: 400 });
  await expectReason(guess("a wrong one"), "INVALID_CREDENTIALS");
  await expectReason(guess(password), "RATE_LIMITED");
  await app.clock.advance({ days: -400 });
  await guess(password);
});

it("a database that could be written meanwhile is tried again", async () => {
  const store = failingDatabase();
  await using app = await testApp({}, store);
  await app.clock.advance(ahead);
  expect((await app.request("/readyz")).status).toBe(200);
  store.fails = /^(insert|update)/i;
  await app.clock.advance(back);
  expect((await app.request("/readyz")).status).toBe(503);
});

it("a database that is gone is not taken to be there, nor the feed to be read", async () => {
  const store = failingDatabase();
  await using app = await testApp({ onStoreDown: "closed" }, store);
  const alice = await signUp(app);
  await app.clock.advance(ahead);
  expect((await app.request("/readyz")).status).toBe(200);
  store.fails = /./;
  await app.clock.advance(back).catch(() => {});
  expect((await app.request("/readyz")).status).toBe(503);
  await expectReason(bearer(app, alice).whoami.query(), "UNAVAILABLE");
  store.fails = null;
  await app.clock.advance({ seconds: 1 });
  expect((await app.request("/readyz")).status).toBe(200);
});
