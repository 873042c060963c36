/** Who sent a request: the peer's address, or what trusted proxies say of it. */
import type { IncomingMessage } from "node:http";
import { isIP, isIPv4 } from "node:net";
import type { Context } from "hono";
import ipaddr from "ipaddr.js";
import type { Caller, Log } from "../deps.ts";
import { cutUserAgent } from "../trpc/context.ts";

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

/**
 * Makes the function that reads the caller of a request. It takes the request id from the middleware that made it.
 *
 * @param options.address What the application knows better: see `AppOptions`.
 */
export function createCallerReader(options: {
  readonly trusted: readonly Range[];
  readonly address?: ((request: Request, env: unknown) => string | null) | undefined;
  readonly log: Log;
}): (context: Context) => Caller {
  const { trusted, address: addressFrom = socketAddress, log } = options;
  let hasWarned = false;

  function warnOnce(): void {
    if (hasWarned) return;
    hasWarned = true;
    log.warn({}, 'requests come without an address, so guessing is limited by account alone: give createApp "address"');
  }

  return (context) => {
    const peer = addressFrom(context.req.raw, context.env);
    if (peer === null) warnOnce();
    return {
      address: addressOf(peer, context.req.header("x-forwarded-for"), trusted),
      userAgent: cutUserAgent(context.req.header("user-agent")),
      requestId: context.get("requestId") ?? null,
    };
  };
}

/** The peer of a request on Node, as its adapter for fetch handlers hands it over. */
function socketAddress(_: Request, env: unknown): string | null {
  return (env as { incoming?: IncomingMessage } | undefined)?.incoming?.socket.remoteAddress ?? null;
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
  if (trusted.length === 0) return plain(peer);
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

/** IPv4 addresses as such, also where a socket shows them as IPv6. To read one takes longer than to check a token. */
function plain(address: string): string {
  if (isIPv4(address)) return address;
  return ipaddr.isValid(address) ? ipaddr.process(address).toString() : address;
}

function isTrusted(address: string, trusted: readonly Range[]): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  return trusted.some(([range, bits]) => range.kind() === parsed.kind() && parsed.match(range, bits));
}
