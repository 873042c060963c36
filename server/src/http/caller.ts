/** Who sent a request: the peer's address, or what trusted proxies say of it. */
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import type { Context } from "hono";
import ipaddr from "ipaddr.js";
import type { Caller } from "../deps.ts";

type Range = ReturnType<typeof ipaddr.parseCIDR>;

/**
 * Reads addresses and CIDR ranges of proxies.
 *
 * @throws {TypeError} naming the entry that is neither.
 */
export function parseTrustedProxies(entries: readonly string[]): readonly Range[] {
  return entries.map((entry) => {
    try {
      // ipaddr.js also reads shorthands, as 10.0.0 for 10.0.0.0, which nobody means here.
      if (isIP(entry.split("/")[0] ?? "") === 0) throw new TypeError("not an address");
      if (entry.includes("/")) return ipaddr.parseCIDR(entry);
      const address = ipaddr.parse(entry);
      return [address, address.kind() === "ipv4" ? 32 : 128];
    } catch {
      throw new TypeError(
        `"trustedProxies" must be IP addresses or CIDR ranges, as in "10.0.0.0/8": not ${JSON.stringify(entry)}`,
      );
    }
  });
}

/** The caller of a request. Takes the request id from the middleware that made it. */
export function callerOf(context: Context, trusted: readonly Range[]): Caller {
  const incoming = (context.env as { incoming?: IncomingMessage } | undefined)?.incoming;
  return {
    address: addressOf(incoming?.socket.remoteAddress ?? null, context.req.header("x-forwarded-for"), trusted),
    userAgent: context.req.header("user-agent")?.slice(0, 512) ?? null,
    requestId: context.get("requestId") ?? null,
  };
}

/**
 * Walks `X-Forwarded-For` from the right, past the proxies that are trusted: the first address that is not theirs is the
 * caller's. What stands to the left of it was written by the caller, and proves nothing.
 */
export function addressOf(
  peer: string | null,
  forwardedFor: string | undefined,
  trusted: readonly Range[],
): string | null {
  if (peer === null) return null;
  const hops = forwardedFor?.split(",").map(withoutPort) ?? [];
  let address = plain(peer);
  while (isTrusted(address, trusted)) {
    const hop = hops.pop();
    if (hop === undefined || !ipaddr.isValid(hop)) break;
    address = plain(hop);
  }
  return address;
}

/** Some balancers write `203.0.113.9:51234` and `[2001:db8::1]:51234`. */
function withoutPort(hop: string): string {
  const text = hop.trim();
  const [, ipv6, ipv4] = /^(?:\[(.+)\]|([\d.]+))(?::\d{1,5})?$/.exec(text) ?? [];
  return ipv6 ?? ipv4 ?? text;
}

/** IPv4 addresses as such, also where a socket shows them as IPv6. */
function plain(address: string): string {
  return ipaddr.isValid(address) ? ipaddr.process(address).toString() : address;
}

function isTrusted(address: string, trusted: readonly Range[]): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  return trusted.some(([range, bits]) => range.kind() === parsed.kind() && parsed.match(range, bits));
}
