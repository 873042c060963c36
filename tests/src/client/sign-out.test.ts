import { describe, expect, it } from "vitest";
import { expectReason } from "../support/expect-reason.ts";
import { createNetwork } from "../support/network.ts";
import { bearer } from "../support/people.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";

async function signedIn(app: TestApp) {
  const network = createNetwork();
  const client = app.client(network.fetch);
  await app.client().register({ username: "bob", password });
  await client.register({ username: "alice", password });
  return { client, network };
}

describe("logout", () => {
  it("ends the session here and on the server", async () => {
    await using app = await testApp();
    const { client, network } = await signedIn(app);
    await client.trpc.read.query();
    const accessToken = network.tokens.at(-1) ?? "";
    await client.logout();
    expect(client.session).toEqual({ status: "signed-out", reason: "SIGNED_OUT" });
    await expectReason(bearer(app, { accessToken }).read.query(), "SESSION_REVOKED");
    await expectReason(client.trpc.read.query(), "TOKEN_MISSING");
  });

  it("sends nothing when nobody is signed in, as the second time", async () => {
    await using app = await testApp();
    const { client, network } = await signedIn(app);
    await client.logout();
    network.sent.length = 0;
    await client.logout();
    expect(network.sent).toEqual([]);
    expect(client.session).toEqual({ status: "signed-out", reason: "SIGNED_OUT" });
  });

  it("works when the access token has expired", async () => {
    await using app = await testApp();
    const { client } = await signedIn(app);
    await app.clock.advance({ minutes: 20 });
    await client.logout();
    const { db } = await app.auth.start();
    const sessions = await db
      .selectFrom("sessions")
      .select("revoked_reason")
      .where("user_agent", "is not", null)
      .execute();
    expect(sessions.map(({ revoked_reason }) => revoked_reason).sort()).toEqual([null, "signed_out"]);
  });

  it("during a refresh stays signed out, here and there", async () => {
    await using app = await testApp();
    const { client, network } = await signedIn(app);
    await app.clock.advance({ minutes: 20 });
    const refresh = network.hold("auth.refresh");
    const read = client.trpc.read.query();
    await refresh.arrived;
    await client.logout();
    refresh.release();
    await expect(read).rejects.toThrow();
    expect(client.session).toEqual({ status: "signed-out", reason: "SIGNED_OUT" });
    await expectReason(client.trpc.read.query(), "TOKEN_MISSING");
    const { db } = await app.auth.start();
    const live = await db.selectFrom("sessions").select("id").where("revoked_at", "is", null).execute();
    expect(live).toHaveLength(1);
  });

  // A batch has one Authorization header: this call would have gone along with alice's.
  it("is heeded by a call in the same moment: it carries no token of the session that has ended", async () => {
    await using app = await testApp();
    const { client, network } = await signedIn(app);
    network.sent.length = 0;
    network.tokens.length = 0;
    const before = client.trpc.ping.query();
    const signedOut = client.logout();
    const after = client.trpc.whoami.query();
    await expectReason(after, "TOKEN_MISSING");
    await Promise.all([before, signedOut]);
    expect(network.tokens[network.sent.indexOf("whoami")]).toBeNull();
  });
});

describe("signing in while somebody is signed in", () => {
  it("ends the session of before on the server", async () => {
    await using app = await testApp();
    const { client, network } = await signedIn(app);
    await client.trpc.read.query();
    const accessToken = network.tokens.at(-1) ?? "";
    await client.login({ username: "alice", password });
    await expect.poll(() => network.sent).toContain("auth.logout");
    await expect
      .poll(() =>
        bearer(app, { accessToken })
          .read.query()
          .catch((error) => error.data?.reason),
      )
      .toBe("SESSION_REVOKED");
    expect(await client.trpc.read.query()).toBe("read");
  });
});

describe("a sign-in that is overtaken", () => {
  it("by signing out, signs nobody in, here or on the server", async () => {
    await using app = await testApp();
    const { client, network } = await signedIn(app);
    const login = network.hold("auth.login");
    const late = expect(client.login({ username: "bob", password })).rejects.toMatchObject({ name: "AbortError" });
    await login.arrived;
    await client.logout();
    login.release();
    await late;
    expect(client.session).toEqual({ status: "signed-out", reason: "SIGNED_OUT" });
    const { db } = await app.auth.start();
    const live = db.selectFrom("sessions").select("id").where("revoked_at", "is", null);
    // Bob's own from when he registered.
    await expect.poll(async () => (await live.execute()).length).toBe(1);
  });

  it("by another sign-in, leaves that one", async () => {
    await using app = await testApp();
    const { client, network } = await signedIn(app);
    const first = network.hold("auth.login");
    const late = expect(client.login({ username: "bob", password })).rejects.toMatchObject({ name: "AbortError" });
    await first.arrived;
    await client.register({ username: "carol", password });
    first.release();
    await late;
    expect(client.session).toMatchObject({ user: { username: "carol" } });
  });
});

describe("signing in as another", () => {
  it("makes the next calls theirs", async () => {
    await using app = await testApp();
    const { client } = await signedIn(app);
    await client.login({ username: "bob", password });
    expect(client.session).toMatchObject({ user: { username: "bob" } });
    expect(await client.trpc.whoami.query()).toMatchObject({ username: "bob" });
  });

  it("during a refresh keeps the other, and sends nothing in their name that was not theirs", async () => {
    await using app = await testApp();
    const { client, network } = await signedIn(app);
    await app.clock.advance({ minutes: 20 });
    const refresh = network.hold("auth.refresh");
    const alices = client.trpc.write.mutate({ text: "alice's secret" });
    await refresh.arrived;
    await client.login({ username: "bob", password });
    network.sent.length = 0;
    refresh.release();
    await expectReason(alices, "TOKEN_EXPIRED");
    // What is sent for alice is that her session ends, and it names her own.
    await expect.poll(() => network.sent).toEqual(["auth.logout"]);
    expect(client.session).toMatchObject({ user: { username: "bob" } });
    expect(await client.trpc.whoami.query()).toMatchObject({ username: "bob" });
  });

  it("is heeded by calls of the same moment: each carries the token of who made it", async () => {
    await using app = await testApp();
    const { client, network } = await signedIn(app);
    const login = network.hold("auth.login");
    const signedInAsBob = client.login({ username: "bob", password });
    await login.arrived;
    // Alice's call waits for its batch while bob's sign-in is answered, and bob's call follows at once.
    const bobs = signedInAsBob.then(() => client.trpc.whoami.query());
    login.release();
    network.tokens.length = 0;
    network.sent.length = 0;
    const alices = Promise.resolve().then(() => client.trpc.whoami.query());
    const [hers] = await Promise.allSettled([alices]);
    // Her session may have ended before her call arrived; it is never answered as bob's.
    if (hers?.status === "fulfilled") expect(hers.value).toMatchObject({ username: "alice" });
    else expect(hers?.reason).toMatchObject({ data: { reason: "SESSION_REVOKED" } });
    expect(await bobs).toMatchObject({ username: "bob" });
    const tokens = network.tokens.filter((_, index) => network.sent[index] === "whoami");
    expect(new Set(tokens).size).toBe(2);
    expect(client.session).toMatchObject({ status: "signed-in", user: { username: "bob" } });
  });

  it("again, during a refresh, sends the call for the same person", async () => {
    await using app = await testApp();
    const { client, network } = await signedIn(app);
    await app.clock.advance({ minutes: 20 });
    const refresh = network.hold("auth.refresh");
    const read = client.trpc.read.query();
    await refresh.arrived;
    await client.login({ username: "alice", password });
    const session = client.session;
    refresh.release();
    expect(await read).toBe("read");
    expect(client.session).toBe(session);
  });

  it("during a refresh has a refresh of its own", async () => {
    await using app = await testApp();
    const { client, network } = await signedIn(app);
    await app.clock.advance({ minutes: 20 });
    const refreshes = network.hold("auth.refresh");
    // Told of at once: it is refused while the test waits for something else.
    const alices = expectReason(client.trpc.read.query(), "TOKEN_EXPIRED");
    await refreshes.arrived;
    await client.login({ username: "bob", password });
    await app.clock.advance({ minutes: 20 });
    const bobs = client.trpc.whoami.query();
    await expect.poll(() => network.sent.filter((procedures) => procedures === "auth.refresh")).toHaveLength(2);
    refreshes.release();
    expect(await bobs).toMatchObject({ username: "bob" });
    await alices;
  });

  it("during a refresh that is refused keeps the other signed in", async () => {
    await using app = await testApp();
    const { client, network } = await signedIn(app);
    await app.clock.advance({ days: 31 });
    const refresh = network.hold("auth.refresh");
    const alices = client.trpc.read.query();
    await refresh.arrived;
    await client.login({ username: "bob", password });
    refresh.release();
    await expectReason(alices, "TOKEN_EXPIRED");
    expect(client.session).toMatchObject({ status: "signed-in", user: { username: "bob" } });
  });
});
