import { createApp, createAuth } from "@countersign/server";
import { describe, expect, it } from "vitest";
import { expectReason } from "../support/expect-reason.ts";
import { forwarded } from "../support/people.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";
import { testOptions } from "../support/test-router.ts";

const behind = (...trustedProxies: string[]) => testApp({}, { app: { trustedProxies } });

/** The address that a session is noted under. */
async function addressSeen(app: TestApp, forwardedFor: string): Promise<string | null | undefined> {
  const client = forwarded(app, forwardedFor);
  await client.register({ username: "alice", password });
  return (await client.trpc.auth.sessions.list.query())[0]?.address;
}

describe("X-Forwarded-For", () => {
  it("is not believed unless the peer is a trusted proxy", async () => {
    await using open = await behind();
    expect(await addressSeen(open, "203.0.113.9")).toBe("127.0.0.1");
    await using elsewhere = await behind("10.0.0.0/8");
    expect(await addressSeen(elsewhere, "203.0.113.9")).toBe("127.0.0.1");
  });

  it.each([
    ["one address", "203.0.113.9", "203.0.113.9"],
    ["what a caller wrote before it is ignored", "1.2.3.4, 203.0.113.9", "203.0.113.9"],
    ["a trusted address that a caller wrote is no way around", "10.0.0.1, 203.0.113.9", "203.0.113.9"],
    ["proxies that are trusted are passed over", "1.2.3.4, 203.0.113.9, 10.0.0.7, 10.0.0.8", "203.0.113.9"],
    ["with trusted proxies alone, the first of them", "10.0.0.8, 10.0.0.7", "10.0.0.8"],
    ["IPv6", "2001:db8::1", "2001:db8::1"],
    ["an IPv4 address that is written as IPv6", "::ffff:203.0.113.9", "203.0.113.9"],
    ["a trusted one that is written as IPv6", "203.0.113.9, ::ffff:10.0.0.7", "203.0.113.9"],
    ["IPv4 with a port, as some balancers write it", "203.0.113.9:51234", "203.0.113.9"],
    ["IPv6 in brackets, with a port", "[2001:db8::1]:51234", "2001:db8::1"],
    ["IPv6 in brackets", "[2001:db8::1]", "2001:db8::1"],
    ["nonsense is the proxy's own fault: the proxy it is", "203.0.113.9, nonsense", "127.0.0.1"],
    ["nothing", "", "127.0.0.1"],
  ])("behind trusted proxies: %s", async (_, forwardedFor, seen) => {
    await using app = await behind("127.0.0.1", "10.0.0.0/8");
    expect(await addressSeen(app, forwardedFor)).toBe(seen);
  });

  it("spoofed by a caller evades no limit", async () => {
    await using app = await testApp({ limits: { loginsPerAddress: 2 } }, { app: { trustedProxies: ["127.0.0.1"] } });
    const guess = (number: number, address = `198.51.100.${number}, 203.0.113.9`) =>
      forwarded(app, address).login({ username: `user${number}`, password: "wrong" });
    await expectReason(guess(1), "INVALID_CREDENTIALS");
    await expectReason(guess(2), "INVALID_CREDENTIALS");
    await expectReason(guess(3), "RATE_LIMITED");
    // Somebody else, who really comes from elsewhere, is not held up.
    await expectReason(guess(4, "198.51.100.4"), "INVALID_CREDENTIALS");
  });

  it("of one IPv6 network counts as one address", async () => {
    await using app = await testApp({ limits: { loginsPerAddress: 2 } }, { app: { trustedProxies: ["127.0.0.1"] } });
    const guess = (address: string) =>
      forwarded(app, address).login({ username: address.replaceAll(":", "_"), password: "wrong" });
    await expectReason(guess("2001:db8:0:1::1"), "INVALID_CREDENTIALS");
    await expectReason(guess("2001:db8:0:1:ffff::2"), "INVALID_CREDENTIALS");
    await expectReason(guess("2001:db8:0:1:1234:5678::3"), "RATE_LIMITED");
    await expectReason(guess("2001:db8:0:2::1"), "INVALID_CREDENTIALS");
  });
});

describe("trustedProxies", () => {
  it.each(["localhost", "10.0.0.0/33", "10.0.0", "", "*", "300.1.1.1", "::/129"])(
    "that are no addresses are refused when the app is made: %j",
    (wrong) => {
      const auth = createAuth(testOptions);
      expect(() => createApp(auth, { trustedProxies: ["127.0.0.1", wrong] })).toThrow(`not ${JSON.stringify(wrong)}`);
    },
  );
});
