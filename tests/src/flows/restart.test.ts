import { describe, expect, it } from "vitest";
import { expectReason } from "../support/expect-reason.ts";
import { bearer, refresh, signIn, signUp } from "../support/people.ts";
import { type TestApp, testApp } from "../support/test-app.ts";
import { sharedDatabase } from "../support/test-database.ts";

/** Runs a server on a file, stops it, and runs the next one on the same file: as many as there are parts. */
async function withRestarts(
  parts: readonly ((app: TestApp) => Promise<void>)[],
  options: Parameters<typeof testApp>[0] = {},
) {
  await using shared = await sharedDatabase();
  for (const part of parts) {
    await using app = await testApp(options, { database: shared.open() });
    await part(app);
  }
}

describe("a restart", () => {
  it("keeps sessions, and the keys that their tokens are signed with", async () => {
    let session: Awaited<ReturnType<typeof signUp>> | undefined;
    await withRestarts([
      async (app) => {
        session = await signUp(app);
      },
      async (app) => {
        if (session === undefined) return expect.fail();
        await bearer(app, session).whoami.query();
        session = await refresh(app, session);
      },
      async (app) => {
        if (session === undefined) return expect.fail();
        await bearer(app, session).whoami.query();
        await app.clock.advance({ minutes: 20 });
        await bearer(app, await refresh(app, session)).read.query();
      },
    ]);
  });

  it("forgets no revocation, and no older version of an account", async () => {
    let ended: Awaited<ReturnType<typeof signUp>> | undefined;
    let changed: Awaited<ReturnType<typeof signUp>> | undefined;
    const change = { currentPassword: "correct horse battery staple", newPassword: "an even better horse battery" };
    await withRestarts([
      async (app) => {
        ended = await signUp(app, "alice");
        changed = await signUp(app, "bob");
        await bearer(app, ended).auth.logout.mutate();
        await bearer(app, changed).auth.changePassword.mutate(change);
      },
      async (app) => {
        if (ended === undefined || changed === undefined) return expect.fail();
        await expectReason(bearer(app, ended).whoami.query(), "SESSION_REVOKED");
        await expectReason(refresh(app, ended), "SESSION_REVOKED");
        await expectReason(bearer(app, changed).whoami.query(), "TOKEN_EXPIRED");
      },
    ]);
  });

  it("forgets no guess and no registration", async () => {
    const limits = { loginsPerAccount: 2, registrationsPerAddress: 1 };
    const guess = (app: TestApp) => app.client().login({ username: "alice", password: "wrong" });
    await withRestarts(
      [
        async (app) => {
          await app.client().register({ username: "carol", password: "correct horse battery staple" });
          await expectReason(guess(app), "INVALID_CREDENTIALS");
        },
        async (app) => {
          await expectReason(guess(app), "INVALID_CREDENTIALS");
          await expectReason(guess(app), "RATE_LIMITED");
          await expectReason(app.client().register({ username: "dave", password: "x" }), "RATE_LIMITED");
        },
        async (app) => {
          await expectReason(guess(app), "RATE_LIMITED");
          await app.clock.advance({ minutes: 15 });
          await expectReason(guess(app), "INVALID_CREDENTIALS");
        },
      ],
      { limits },
    );
  });

  it("keeps accounts, and the audit of what happened", async () => {
    await withRestarts([
      async (app) => {
        await signUp(app);
      },
      async (app) => {
        await signIn(app);
        const { db } = await app.auth.start();
        const kinds = await db.selectFrom("audit_events").select("kind").orderBy("id").execute();
        expect(kinds.map(({ kind }) => kind).sort()).toEqual(["account_registered", "sign_in", "sign_in"]);
      },
    ]);
  });
});
