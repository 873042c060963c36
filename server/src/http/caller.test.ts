import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addressOf, parseTrustedProxies } from "./caller.ts";

const proxies = parseTrustedProxies(["10.0.0.0/8", "192.168.1.1", "fd00::/8"]);

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
    ["no network", null, "203.0.113.9", null],
  ])("%s", (_, peer, forwardedFor, expected) => {
    expect(addressOf(peer, forwardedFor, proxies)).toBe(expected);
  });

  it("is the peer or the last entry, whatever a stranger writes before it", () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.ipV4().filter((address) => !address.startsWith("10.") && address !== "192.168.1.1"),
        (written, real) => {
          expect(addressOf("10.0.0.1", `${written}, ${real}`, proxies)).toBe(real);
          expect(addressOf(real, written, proxies)).toBe(real);
        },
      ),
    );
  });
});
