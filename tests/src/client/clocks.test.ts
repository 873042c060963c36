import { describe, expect, it, vi } from "vitest";
import { createNetwork } from "../support/network.ts";
import { password, testApp } from "../support/test-app.ts";

const day = 86_400_000;

/** A device whose clock is wrong by so much, and goes with the server's. */
function skewed(app: { clock: { now(): number } }, byMs: () => number) {
  return vi.spyOn(Date, "now").mockImplementation(() => app.clock.now() + byMs());
}

describe("a device whose clock is wrong", () => {
  it.each([
    ["by a day, behind", -day],
    ["by a day, ahead", day],
    ["not at all", 0],
  ])("refreshes before the token expires by the server's clock: %s", async (_, by) => {
    await using app = await testApp({ clockToleranceSeconds: 0 });
    using _clock = skewed(app, () => by);
    const network = createNetwork();
    const client = app.client(network.fetch);
    await client.register({ username: "alice", password });
    network.sent.length = 0;
    await app.clock.advance({ minutes: 14 });
    await client.trpc.read.query();
    expect(network.sent).toEqual(["read"]);
    await app.clock.advance({ seconds: 40 });
    await client.trpc.read.query();
    // Ahead of the expiry, so that no call was refused.
    expect(network.sent).toEqual(["read", "auth.refresh", "read"]);
    await app.clock.advance({ minutes: 5 });
    await client.trpc.read.query();
    expect(network.sent).toHaveLength(4);
  });

  it.each([
    ["forwards", day],
    ["backwards", -day],
  ])("and jumps %s ends in no loop and loses no session", async (_, by) => {
    await using app = await testApp();
    let offset = 0;
    using _clock = skewed(app, () => offset);
    const network = createNetwork();
    const client = app.client(network.fetch);
    await client.register({ username: "alice", password });
    offset = by;
    network.sent.length = 0;
    for (let call = 0; call < 5; call += 1) expect(await client.trpc.read.query()).toBe("read");
    expect(network.sent.filter((sent) => sent === "auth.refresh").length).toBeLessThanOrEqual(1);
    await app.clock.advance({ minutes: 16 });
    for (let call = 0; call < 5; call += 1) expect(await client.trpc.read.query()).toBe("read");
    expect(network.sent.filter((sent) => sent === "auth.refresh").length).toBeLessThanOrEqual(2);
    expect(client.session).toMatchObject({ status: "signed-in" });
  });
});
