/** What every procedure gets under `ctx.auth`. Making it does no I/O; nothing is verified before somebody asks. */
import type { Principal } from "@countersign/shared";
import type { Caller, Deps } from "../deps.ts";
import { resolvePrincipal } from "../flows/sessions/resolve-principal.ts";
import { createSessionCookie, type SessionCookie } from "./session-cookie.ts";

/** The part of a tRPC context that Countersign needs. Spread it into a context of your own. */
export interface AuthContext {
  readonly auth: RequestAuth;
}

/** One request's sign-in. */
export interface RequestAuth {
  /**
   * Who sent the request; `null` when it carries no token. Nothing is verified before somebody asks, and the calls of a
   * batch share one verification. Ask again, and the answer is of that moment: a context may outlive its token.
   *
   * @throws {AuthError} `TOKEN_INVALID`, `TOKEN_EXPIRED`, `SESSION_REVOKED`, `UNAVAILABLE`; for a session cookie also
   *   `ORIGIN_NOT_ALLOWED` and `ACCOUNT_DISABLED`
   */
  principal(): Promise<Principal | null>;
  /**
   * The same, at once where nothing has to be waited for: each promise on the way of a signed-in call is a part of what it takes.
   *
   * @internal
   */
  prove(): Principal | null | Promise<Principal | null>;
  /** Where the request came from. */
  readonly caller: Caller;
  /**
   * The session cookie, for Countersign's procedures.
   *
   * @internal
   */
  readonly cookie: SessionCookie;
  /**
   * The server's own parts, for Countersign's procedures.
   *
   * @internal
   */
  readonly deps: Deps;
}

/** A request as tRPC's adapters hand it to `createContext`: fetch's `Request`, or Node's `IncomingMessage`. */
export interface RequestLike {
  readonly req: Request | NodeRequest;
  /**
   * The IP address of whoever sent it, for limits on guessing. Default: the socket's on Node. Give it where there is a
   * proxy before Node, and on fetch, where a request does not say: without one, attempts are limited by account alone.
   */
  readonly address?: string | null;
  /** Origins whose pages may change things with the session cookie, beside the server's own. Default: none. */
  readonly origins?: readonly string[];
  /** The reply's headers, on fetch: what `createContext` is given there. Without them no cookie can be set. */
  readonly resHeaders?: Headers;
  /** The reply, on Node: what `createContext` is given there. */
  readonly res?: NodeReply;
  /** What tRPC says of the request. */
  readonly info?: { readonly accept: string | null };
}

/** What is read of Node's `IncomingMessage`; spelled out, so that browsers' type-checks need no Node types. */
export interface NodeRequest {
  readonly method?: string | undefined;
  readonly headers: { readonly "user-agent"?: string | undefined };
  readonly headersDistinct: { readonly [name: string]: string[] | undefined };
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/** What is called of Node's `ServerResponse`. */
export interface NodeReply {
  appendHeader(name: string, value: string): unknown;
}

/** The context of a call with these credentials. */
export function makeContext(
  deps: Deps,
  { authorization, cookie }: { authorization: string | null; cookie: SessionCookie },
  caller: Caller,
): AuthContext {
  let resolving: Promise<Principal | null> | undefined;
  const forget = () => {
    resolving = undefined;
  };

  function prove(): Principal | null | Promise<Principal | null> {
    if (resolving !== undefined) return resolving;
    const resolved = resolvePrincipal(deps, { authorization, cookie: cookie.read, account: cookie.account }, caller);
    if (!(resolved instanceof Promise)) return resolved;
    resolving = resolved;
    resolved.then(forget, forget);
    return resolved;
  }

  return {
    auth: {
      deps,
      caller,
      cookie,
      principal: async () => prove(),
      prove,
    },
  };
}

/** The context of a request, for any adapter. */
export function contextOf(deps: Deps, request: RequestLike): AuthContext {
  const { req, address, origins = [], info } = request;
  const header = headerReader(req);
  // The head of a streamed reply is sent before a procedure ends.
  const setCookie = info?.accept === "application/jsonl" ? null : cookieSetter(request);
  const cookie = createSessionCookie(
    { method: req.method ?? "GET", header },
    { settings: deps.settings, origins, setCookie },
  );
  const peer = isFetchRequest(req) ? undefined : req.socket.remoteAddress;
  return makeContext(
    deps,
    { authorization: header("authorization"), cookie },
    { address: address ?? peer ?? null, userAgent: cutUserAgent(header("user-agent")), requestId: null },
  );
}

function headerReader(req: Request | NodeRequest): (name: string) => string | null {
  if (isFetchRequest(req)) return (name) => req.headers.get(name);
  // Node's `headers` keeps the first of several Authorization headers; fetch joins them, and so a second one is seen.
  return (name) => req.headersDistinct[name]?.join(name === "cookie" ? "; " : ", ") ?? null;
}

function cookieSetter({ resHeaders, res }: RequestLike): ((line: string) => void) | null {
  if (resHeaders !== undefined) return (line) => resHeaders.append("set-cookie", line);
  return res === undefined ? null : (line) => void res.appendHeader("set-cookie", line);
}

/** A user agent as the audit keeps it: no more of it than browsers send. */
export function cutUserAgent(userAgent: string | null | undefined): string | null {
  return userAgent?.slice(0, 512) ?? null;
}

function isFetchRequest(request: Request | NodeRequest): request is Request {
  return "get" in request.headers && typeof request.headers.get === "function";
}
