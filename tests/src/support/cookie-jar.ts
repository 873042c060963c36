/** What a browser does with cookies, for clients in Node: keeps what replies set, and sends it back. */
import type { createAuthClient } from "@countersign/client";

type Fetch = NonNullable<Parameters<typeof createAuthClient>[0]["fetch"]>;

/** Where a reply is lost: on its way, or after its head has set the cookie. */
type Loss = "before the cookie" | "after the cookie";

export interface CookieJar {
  readonly cookies: Map<string, string>;
  /** Procedures of each request, in the order of sending. */
  readonly sent: string[];
  readonly fetch: Fetch;
  /** Whether nothing gets through. */
  isDown: boolean;
  /** Keeps the next request or reply of a procedure back, once. */
  hold(procedure: string, what: "request" | "reply", loss?: Loss): { readonly arrived: Promise<void>; release(): void };
}

interface Hold {
  readonly what: "request" | "reply";
  readonly loss: Loss | undefined;
  /** Says that it has come, and waits until it may go on. */
  wait(): Promise<void>;
}

/**
 * A jar that the tabs of one browser share. A request carries the cookies of when it is sent, and a reply's are set when it
 * arrives. Requests say that they are from a page of the server's own origin.
 */
export function cookieJar(): CookieJar {
  const cookies = new Map<string, string>();
  const sent: string[] = [];
  const holds = new Map<string, Hold>();

  function keep(reply: Response): void {
    for (const line of reply.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/max-age=0/i.test(line)) cookies.delete(name);
      else cookies.set(name, value);
    }
  }

  function takeHold(procedure: string): Hold | undefined {
    const hold = holds.get(procedure);
    holds.delete(procedure);
    return hold;
  }

  const jar: CookieJar = {
    cookies,
    sent,
    isDown: false,
    async fetch(input, init) {
      if (jar.isDown) throw new TypeError("fetch failed");
      const procedure = new URL(String(input)).pathname.replace(/^.*\/trpc\//, "");
      sent.push(procedure);
      const hold = takeHold(procedure);
      const headers = new Headers(init?.headers as HeadersInit);
      headers.set("sec-fetch-site", "same-origin");
      if (cookies.size > 0) headers.set("cookie", [...cookies].map(([name, value]) => `${name}=${value}`).join("; "));
      if (hold?.what === "request") await hold.wait();
      const reply = await fetch(input as string, { ...(init as RequestInit), headers });
      if (hold?.what === "reply") await hold.wait();
      if (hold?.loss === "before the cookie") throw new TypeError("the connection was lost");
      keep(reply);
      if (hold?.loss === "after the cookie") throw new TypeError("the connection was lost");
      return reply;
    },
    hold(procedure, what, loss) {
      const arrived = Promise.withResolvers<void>();
      const released = Promise.withResolvers<void>();
      const wait = () => {
        arrived.resolve();
        return released.promise;
      };
      holds.set(procedure, { what, loss, wait });
      return { arrived: arrived.promise, release: released.resolve };
    },
  };
  return jar;
}
