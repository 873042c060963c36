import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addressOf, parseTrustedProxies } from "./caller.ts";

const proxies = ["10.0.0.0/8", "192.168.1.1", "fd00::/8", "2001:db8:1::1"];

function addressBehind(peer: string | null, forwardedFor?: string | undefined): string | null {
  return addressOf(peer, forwardedFor, parseTrustedProxies(proxies));
}

describe("the address of a caller", () => {
  it.each([
    ["a peer that is no proxy", "203.0.113.9", "198.51.100.1", "203.0.113.9"],
    ["a proxy that says nothing", "10.0.0.1", undefined, "10.0.0.1"],
    ["a caller behind a proxy", "10.0.0.1", "203.0.113.9", "203.0.113.9"],
    ["a caller behind two proxies", "10.0.0.1", "203.0.113.9, 192.168.1.1", "203.0.113.9"],
    ["a caller who writes an entry of their own", "10.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9"],
    ["a caller who writes nonsense", "10.0.0.1", "nonsense", "10.0.0.1"],
    ["nonsense before a proxy's entry", "10.0.0.1", "nonsense, 203.0.113.9", "203.0.113.9"],
    ["IPv4 in IPv6's clothes", "::ffff:10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"],
    ["a proxy of IPv6", "fd00::1", "2001:db8::1", "2001:db8::1"],
    ["a neighbour of a proxy", "192.168.1.2", "203.0.113.9", "192.168.1.2"],
    ["a neighbour of a proxy of IPv6", "2001:db8:1::2", "203.0.113.9", "2001:db8:1::2"],
    ["what an application says that is no address", "somebody", "203.0.113.9", "somebody"],
    ["no network", null, "203.0.113.9", null],
  ])("%s", (_, peer, forwardedFor, expected) => {
    expect(addressBehind(peer, forwardedFor)).toBe(expected);
  });

  it("is the peer or the last entry, whatever a stranger writes before it", () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.ipV4().filter((address) => !address.startsWith("10.") && address !== "192.168.1.1"),
        (written, real) => {
          expect(addressBehind("10.0.0.1", `${written}, ${real}`)).toBe(real);
          expect(addressBehind(real, written)).toBe(real);
        },
      ),
    );
  });

  it("is the peer, or an entry that trusted hops alone vouch for, whatever the header says", () => {
    const trusted = fc.constantFrom("10.0.0.1", "10.255.0.7", "192.168.1.1", "fd00::7", "::ffff:10.1.1.1");
    const hop = fc.oneof(trusted, fc.ipV4(), fc.ipV6(), fc.string(), fc.constantFrom("unknown", "203.0.113.9:443", ""));
    const isProxy = (address: string) => addressBehind(address, "203.0.113.9") === "203.0.113.9";
    fc.assert(
      fc.property(fc.oneof(trusted, fc.ipV4()), fc.array(hop, { maxLength: 5 }), (peer, hops) => {
        const found = addressBehind(peer, hops.join(","));
        // Hops may have commas in them, so they are read as the header has them.
        const written = hops.join(",").split(",");
        const withoutPort = (entry: string) => entry.replace(/^([\d.]+):\d+$/, "$1");
        const chain = [peer, ...written.reverse().map((entry) => withoutPort(entry.trim()))];
        const vouched = chain.findIndex((address, index) => {
          const same = addressBehind(address) === found;
          return same && chain.slice(0, index).every(isProxy);
        });
        expect(vouched, `${found} of ${chain}`).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 2_000 },
    );
  });
});
