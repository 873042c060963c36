/** The session cookie of a request and its reply, and whether the page that sent it may change anything with it. */
import { AuthError } from "@countersign/shared";
import { parseCookie, stringifySetCookie } from "cookie";
import type { Settings } from "../options.ts";

/** What is read of a request. */
export interface CookieRequest {
  readonly method: string;
  readonly header: (name: string) => string | null;
}

export interface SessionCookie {
  /** Whose the page believes it to be; `null` when it does not say. */
  readonly account: string | null;
  /**
   * The cookie's value; `null` without one.
   *
   * @throws {AuthError} `ORIGIN_NOT_ALLOWED` for a change that is not our page's.
   */
  read(): string | null;
  /** @throws {AuthError} `ORIGIN_NOT_ALLOWED` when the page that asks is not ours, `BAD_REQUEST` where a reply can set none. */
  requireWritable(): void;
  /** Lets the reply set the cookie, or take it away with `null`. @throws {AuthError} as `requireWritable` */
  write(value: string | null): void;
}

/**
 * The session cookie of one request.
 *
 * @param options.origins Origins whose pages are ours, beside the server's own: the issuer's, and the host's that was asked.
 * @param options.setCookie Adds a `Set-Cookie` header to the reply; `null` where that is not possible any more.
 */
export function createSessionCookie(
  { method, header }: CookieRequest,
  options: {
    readonly settings: Pick<Settings, "issuer" | "sessionTtlSeconds">;
    readonly origins: readonly string[];
    readonly setCookie: ((line: string) => void) | null;
  },
): SessionCookie {
  const { settings, origins, setCookie } = options;
  const secure = settings.issuer.startsWith("https:");
  // `__Host-` keeps other hosts of the domain from setting it (RFC 6265bis §4.1.3.2), and needs https.
  const name = secure ? "__Host-countersign" : "countersign";
  // A GET that is upgraded to a WebSocket carries changes, too.
  const isRead = (method === "GET" || method === "HEAD") && header("upgrade") === null;

  function requireOwnPage(): void {
    // What is no page at all has no use for a cookie.
    if (pageThatSent(header, { origins: [...origins, new URL(settings.issuer).origin], secure }) !== "ours")
      throw new AuthError("ORIGIN_NOT_ALLOWED");
  }

  function requireWritable(): (line: string) => void {
    requireOwnPage();
    if (setCookie === null) throw cannotSet();
    return setCookie;
  }

  return {
    account: header("countersign-account"),
    requireWritable,
    read() {
      const value = parseCookie(header("cookie") ?? "")[name] ?? null;
      if (value !== null && !isRead) requireOwnPage();
      return value;
    },
    write(value) {
      const set = requireWritable();
      // The server alone says when a session ends, so the cookie is set once, and stays for as long as a session can.
      const maxAge = value === null ? 0 : settings.sessionTtlSeconds;
      const line = { name, value: value ?? "", maxAge, path: "/", httpOnly: true, secure, sameSite: "lax" } as const;
      set(stringifySetCookie(line));
    },
  };
}

/** For a call without a request, as by `createCaller`. */
export function withoutCookies(authorization: string | null): {
  authorization: string | null;
  cookie: SessionCookie;
} {
  const refuse = () => {
    throw cannotSet();
  };
  const cookie = {
    account: null,
    read: () => null,
    requireWritable: refuse,
    write: refuse,
  };
  return { authorization, cookie };
}

function cannotSet(): AuthError {
  const message = "A cookie cannot be set here: call it over HTTP, by itself, and not in a stream.";
  return new AuthError("BAD_REQUEST", { issues: [{ path: [], message }] }, message);
}

/**
 * Whose page sent a request: browsers say so in `Sec-Fetch-Site`, and the older ones (or a server without https) in `Origin`.
 * It is nobody's where neither does, or where somebody typed the address.
 */
export function pageThatSent(
  header: CookieRequest["header"],
  { origins, secure }: { readonly origins: readonly string[]; readonly secure: boolean },
): "ours" | "another's" | "nobody's" {
  const origin = header("origin");
  if (origin !== null && origins.includes(origin)) return "ours";
  const site = header("sec-fetch-site");
  if (site !== null) return site === "same-origin" ? "ours" : site === "none" ? "nobody's" : "another's";
  if (origin === null) return "nobody's";
  const { host, protocol } = URL.canParse(origin) ? new URL(origin) : { host: null, protocol: null };
  return host === header("host") && (protocol === "https:" || !secure) ? "ours" : "another's";
}
