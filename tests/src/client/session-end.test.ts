import type { SignedIn } from "@countersign/shared/schemas";
import { describe, expect, it } from "vitest";
import { expectReason } from "../support/expect-reason.ts";
import { failingDatabase } from "../support/failing-database.ts";
import { createNetwork } from "../support/network.ts";
import { administrator } from "../support/people.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";

/** A signed-in client, and the refresh token that it holds: what a thief would have. */
async function signedIn(app: TestApp) {
  const network = createNetwork();
  let refreshToken = "";
  const client = app.client(async (input, init) => {
    const reply = (await network.fetch(input, init)) as Response;
    const [body] = (await reply.clone().json()) as { result?: { data: { json: SignedIn } } }[];
    refreshToken = body?.result?.data.json.refreshToken ?? refreshToken;
    return reply;
  });
  const user = await client.register({ username: "alice", password });
  network.sent.length = 0;
  return { client, network, user, stolen: () => refreshToken };
}

type Held = Awaited<ReturnType<typeof signedIn>>;

/** How each refusal of a refresh comes about. */
const endings: readonly [
  reason: "TOKEN_EXPIRED" | "TOKEN_INVALID" | "SESSION_REVOKED" | "SESSION_REUSED" | "ACCOUNT_DISABLED",
  provoke: (app: TestApp, held: Held) => Promise<unknown>,
][] = [
  ["TOKEN_EXPIRED", (app) => app.clock.advance({ days: 31 })],
  [
    "TOKEN_INVALID",
    async (app) => {
      const { db } = await app.auth.start();
      await db.deleteFrom("sessions").execute();
    },
  ],
  ["SESSION_REVOKED", async (app, { user }) => (await administrator(app)).disable({ id: user.id })],
  [
    "SESSION_REUSED",
    async (app, { stolen }) => {
      const caller = app.auth.router.createCaller(app.asNobody());
      const { refreshToken } = await caller.refresh({ refreshToken: stolen() });
      await caller.refresh({ refreshToken });
    },
  ],
  [
    "ACCOUNT_DISABLED",
    async (app) => {
      const { db } = await app.auth.start();
      await db.updateTable("accounts").set({ disabled_at: 1 }).execute();
    },
  ],
];

describe("a refused refresh", () => {
  it.each(endings)("with %s ends the session, and says why", async (reason, provoke) => {
    await using app = await testApp();
    const held = await signedIn(app);
    await provoke(app, held);
    await app.clock.advance({ minutes: 20 });
    const { client, network } = held;
    await expectReason(client.trpc.read.query(), reason);
    expect(network.sent).toEqual(["read", "auth.refresh"]);
    expect(client.session).toEqual({ status: "signed-out", reason });

    // The next call carries nothing, and asks for no refresh.
    network.sent.length = 0;
    network.tokens.length = 0;
    await expectReason(client.trpc.read.query(), "TOKEN_MISSING");
    expect([network.sent, network.tokens]).toEqual([["read"], [null]]);
  });

  it("is forgotten at the next sign-in", async () => {
    await using app = await testApp();
    const { client } = await signedIn(app);
    await app.clock.advance({ days: 31 });
    await expectReason(client.trpc.read.query(), "TOKEN_EXPIRED");
    await client.login({ username: "alice", password });
    expect(client.session.status).toBe("signed-in");
    expect(await client.trpc.read.query()).toBe("read");
  });
});

describe("a session that was revoked elsewhere", () => {
  it("ends here at the next call, without a refresh", async () => {
    await using app = await testApp();
    const { client, network, user } = await signedIn(app);
    await (await administrator(app)).disable({ id: user.id });
    await expectReason(client.trpc.read.query(), "SESSION_REVOKED");
    expect(network.sent).toEqual(["read"]);
    expect(client.session).toEqual({ status: "signed-out", reason: "SESSION_REVOKED" });
  });

  it("does not end a session that was begun meanwhile", async () => {
    await using app = await testApp();
    const { client, network, user } = await signedIn(app);
    await (await administrator(app)).setPassword({ id: user.id, password: "an even better horse battery" });
    const slow = network.hold("read");
    const read = client.trpc.read.query();
    await slow.arrived;
    await client.login({ username: "alice", password: "an even better horse battery" });
    slow.release();
    // The call is the same person's, so it is sent again, with what they have now.
    expect(await read).toBe("read");
    expect(client.session.status).toBe("signed-in");
  });
});

describe("a refresh that fails without being refused", () => {
  it("signs nobody out: the server may be back at the next call", async () => {
    const store = failingDatabase();
    await using app = await testApp({}, store);
    const { client } = await signedIn(app);
    await app.clock.advance({ minutes: 20 });
    store.fails = /from "sessions"/;
    await expectReason(client.trpc.read.query(), "UNAVAILABLE");
    expect(client.session.status).toBe("signed-in");
    store.fails = null;
    expect(await client.trpc.read.query()).toBe("read");
  });
});
