import { describe, expect, it } from "vitest";
import { expectReason } from "../support/expect-reason.ts";
import { createNetwork } from "../support/network.ts";
import { bearer, refresh, signIn, signUp } from "../support/people.ts";
import { password, testApp } from "../support/test-app.ts";

const newPassword = "an even better horse battery";
const change = { currentPassword: password, newPassword };

describe("changePassword", () => {
  it("replaces the password", async () => {
    await using app = await testApp();
    await bearer(app, await signUp(app)).auth.changePassword.mutate(change);
    await expectReason(app.client().login({ username: "alice", password }), "INVALID_CREDENTIALS");
    await app.client().login({ username: "alice", password: newPassword });
  });

  it("refuses a wrong current password, and changes nothing", async () => {
    await using app = await testApp();
    const session = await signUp(app);
    const wrong = bearer(app, session).auth.changePassword.mutate({ ...change, currentPassword: "wrong" });
    await expectReason(wrong, "INVALID_CREDENTIALS");
    await bearer(app, session).read.query();
    await signIn(app);
  });

  it("refuses a new password that is too easy to guess, and changes nothing", async () => {
    await using app = await testApp();
    const session = await signUp(app);
    const weak = bearer(app, session).auth.changePassword.mutate({ ...change, newPassword: "password123" });
    expect(await expectReason(weak, "WEAK_PASSWORD")).toEqual({ rule: "too_common", field: "newPassword" });
    await signIn(app);
  });

  it("refuses a caller who is not signed in", async () => {
    await using app = await testApp();
    await expectReason(app.client().trpc.auth.changePassword.mutate(change), "TOKEN_MISSING");
  });

  it("counts wrong current passwords, by session", async () => {
    await using app = await testApp({ limits: { loginsPerKnownDevice: 2 } });
    const session = await signUp(app);
    const guess = () => bearer(app, session).auth.changePassword.mutate({ ...change, currentPassword: "wrong" });
    await expectReason(guess(), "INVALID_CREDENTIALS");
    await expectReason(guess(), "INVALID_CREDENTIALS");
    await expectReason(guess(), "RATE_LIMITED");
    await expectReason(bearer(app, session).auth.changePassword.mutate(change), "RATE_LIMITED");
    // Whoever stole that session must not keep the owner from locking them out.
    await bearer(app, await signIn(app)).auth.changePassword.mutate(change);
  });

  it("is there for the owner while strangers guess", async () => {
    await using app = await testApp({ limits: { loginsPerAccount: 1 } });
    const session = await signUp(app);
    const guess = () => app.client().login({ username: "alice", password: "wrong" });
    await expectReason(guess(), "INVALID_CREDENTIALS");
    await expectReason(guess(), "RATE_LIMITED");
    await bearer(app, session).auth.changePassword.mutate(change);
  });

  it("counts a right current password for nothing, whatever the new one is", async () => {
    await using app = await testApp({ limits: { loginsPerKnownDevice: 1 } });
    const session = await signUp(app);
    const weak = () => bearer(app, session).auth.changePassword.mutate({ ...change, newPassword: "short" });
    await expectReason(weak(), "WEAK_PASSWORD");
    await expectReason(weak(), "WEAK_PASSWORD");
  });

  it("ends the account's other sessions; the one that asks stays", async () => {
    await using app = await testApp();
    const here = await signUp(app);
    const others = [await signIn(app), await signIn(app)];
    const stranger = await signUp(app, "bob");
    expect(await bearer(app, here).auth.changePassword.mutate(change)).toEqual({ revoked: 2 });
    for (const other of others) {
      await expectReason(bearer(app, other).read.query(), "SESSION_REVOKED");
      await expectReason(refresh(app, other), "SESSION_REVOKED");
    }
    await refresh(app, here);
    await bearer(app, stranger).read.query();
  });

  it("makes access tokens from before expire, so that a client refreshes and the person notices nothing", async () => {
    await using app = await testApp();
    const before = await signUp(app);
    const network = createNetwork();
    const client = app.client(network.fetch);
    await client.login({ username: "alice", password });
    await client.trpc.auth.changePassword.mutate(change);
    await expectReason(bearer(app, before).read.query(), "SESSION_REVOKED");

    network.sent.length = 0;
    expect(await client.trpc.read.query()).toBe("read");
    expect(network.sent).toEqual(["read", "auth.refresh", "read"]);
    expect(client.session.status).toBe("signed-in");
    await client.trpc.read.query();
    expect(network.sent.slice(3)).toEqual(["read"]);
  });

  it("says TOKEN_EXPIRED for the asking session's own access token", async () => {
    await using app = await testApp();
    const session = await signUp(app);
    await bearer(app, session).auth.changePassword.mutate(change);
    await expectReason(bearer(app, session).read.query(), "TOKEN_EXPIRED");
    await bearer(app, await refresh(app, session)).read.query();
  });
});
