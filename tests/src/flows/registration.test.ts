import { describe, expect, it } from "vitest";
import { expectReason } from "../support/expect-reason.ts";
import { administrator } from "../support/people.ts";
import { password, testApp } from "../support/test-app.ts";

describe("registration", () => {
  it("that is closed refuses before anything else: it tells neither names nor rules", async () => {
    await using app = await testApp({ registration: "closed", limits: { registrationsPerAddress: 1 } });
    await (await administrator(app)).create({ username: "alice", password });
    for (const attempt of [
      { username: "alice", password },
      { username: "bob", password: "short" },
    ]) {
      await expectReason(app.client().register(attempt), "REGISTRATION_CLOSED");
    }
    await app.client().login({ username: "alice", password });
  });

  it("asks for as many characters as minPasswordLength says", async () => {
    await using app = await testApp({ minPasswordLength: 15 });
    const attempt = (length: number) =>
      app.client().register({ username: `user${length}`, password: "pq7-".repeat(4).slice(0, length) });
    expect(await expectReason(attempt(14), "WEAK_PASSWORD")).toEqual({ rule: "too_short", field: "password" });
    await attempt(15);
  });

  it("counts characters, not bytes or UTF-16 units", async () => {
    await using app = await testApp();
    const attempt = (emoji: number) =>
      app.client().register({ username: `user${emoji}`, password: "🔑".repeat(emoji) });
    expect(await expectReason(attempt(7), "WEAK_PASSWORD")).toEqual({ rule: "too_short", field: "password" });
    await attempt(8);
  });

  it("takes every character of a long password, and refuses one of more than 1,024", async () => {
    await using app = await testApp();
    const long = "🔑a".repeat(512);
    const { id } = await app.client().register({ username: "alice", password: long });
    expect(await app.client().login({ username: "alice", password: long })).toMatchObject({ id });
    await expectReason(
      app.client().login({ username: "alice", password: `${long.slice(0, -1)}b` }),
      "INVALID_CREDENTIALS",
    );
    await expectReason(app.client().register({ username: "bob", password: `${long}a` }), "BAD_REQUEST");
  });

  it.each(["a", "a".repeat(65), "alice@example.com", "-alice", "alice.", "al ice", "al\u0000ice", ""])(
    "refuses the username %j",
    async (username) => {
      await using app = await testApp();
      const { issues } = await expectReason(app.client().register({ username, password }), "BAD_REQUEST");
      expect(issues[0]).toEqual({ path: ["username"], message: expect.stringMatching(/^"username" (must|may) have/) });
    },
  );

  it("refuses what is no e-mail address, and an unknown field", async () => {
    await using app = await testApp();
    const { issues } = await expectReason(
      app.client().register({ username: "alice", password, email: "alice" }),
      "BAD_REQUEST",
    );
    expect(issues).toEqual([{ path: ["email"], message: '"email" must be an e-mail address' }]);
    const generous = { username: "alice", password, roles: ["admin"] };
    await expectReason(app.client().register(generous), "BAD_REQUEST");
  });

  it("makes one account of twenty registrations at once", async () => {
    await using app = await testApp();
    const attempts = Array.from({ length: 20 }, () => app.client().register({ username: "alice", password }));
    const settled = await Promise.allSettled(attempts);
    expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const attempt of settled) {
      if (attempt.status === "rejected") await expectReason(Promise.reject(attempt.reason), "USERNAME_TAKEN");
    }
  });
});
