/** What every procedure gets under `ctx.auth`. Making it does no I/O; nothing is verified before somebody asks. */
import type { Principal } from "@countersign/shared";
import type { Caller, Deps } from "../deps.ts";
import { resolvePrincipal } from "../flows/sessions/resolve-principal.ts";

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
   * @throws {AuthError} `TOKEN_INVALID`, `TOKEN_EXPIRED`, `SESSION_REVOKED`, `UNAVAILABLE`
   */
  principal(): Promise<Principal | null>;
  /** Where the request came from. */
  readonly caller: Caller;
  /** The server's own parts, for Countersign's procedures. Not part of what the package promises. */
  readonly deps: Deps;
}

/** A request as tRPC's adapters hand it over: fetch's `Request`, or Node's `IncomingMessage`. */
export interface RequestLike {
  readonly req: Request | NodeRequest;
  /**
   * The IP address of whoever sent it, for limits on guessing. Default: the socket's on Node. Give it where there is a
   * proxy before Node, and on fetch, where a request does not say: without one, attempts are limited by account alone.
   */
  readonly address?: string | null;
}

/** What is read of Node's `IncomingMessage`; spelled out, so that browsers' type-checks need no Node types. */
export interface NodeRequest {
  readonly headers: { readonly "user-agent"?: string | undefined };
  readonly headersDistinct: { readonly [name: string]: string[] | undefined };
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/** The context of a call with these credentials. */
export function makeContext(deps: Deps, authorization: string | null, caller: Caller): AuthContext {
  let resolving: Promise<Principal | null> | undefined;
  return {
    auth: {
      deps,
      caller,
      principal() {
        resolving ??= resolvePrincipal(deps, authorization).finally(() => {
          resolving = undefined;
        });
        return resolving;
      },
    },
  };
}

/** The context of a request, for any adapter. */
export function contextOf(deps: Deps, { req, address }: RequestLike): AuthContext {
  if (isFetchRequest(req)) {
    const caller = {
      address: address ?? null,
      userAgent: cutUserAgent(req.headers.get("user-agent")),
      requestId: null,
    };
    return makeContext(deps, req.headers.get("authorization"), caller);
  }
  const caller = {
    address: address ?? req.socket.remoteAddress ?? null,
    userAgent: cutUserAgent(req.headers["user-agent"]),
    requestId: null,
  };
  // Node's `headers` keeps the first of several Authorization headers; fetch joins them, and so a second one is seen.
  const authorization = req.headersDistinct.authorization?.join(", ") ?? null;
  return makeContext(deps, authorization, caller);
}

/** A user agent as the audit keeps it: no more of it than browsers send. */
export function cutUserAgent(userAgent: string | null | undefined): string | null {
  return userAgent?.slice(0, 512) ?? null;
}

function isFetchRequest(request: Request | NodeRequest): request is Request {
  return "get" in request.headers && typeof request.headers.get === "function";
}
