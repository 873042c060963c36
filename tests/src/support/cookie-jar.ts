/** What a browser does with cookies, for clients in Node: keeps what replies set, and sends it back. */
import type { createAuthClient } from "@countersign/client";

type Fetch = NonNullable<Parameters<typeof createAuthClient>[0]["fetch"]>;

export interface CookieJar {
  readonly cookies: Map<string, string>;
  readonly fetch: Fetch;
}

/** A jar that the tabs of one browser share. Requests say that they are from a page of the server's own origin. */
export function cookieJar(): CookieJar {
  const cookies = new Map<string, string>();

  function keep(reply: Response): void {
    for (const line of reply.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/max-age=0/i.test(line)) cookies.delete(name);
      else cookies.set(name, value);
    }
  }

  const fetchWithCookies: Fetch = async (input, init) => {
    const headers = new Headers(init?.headers as HeadersInit);
    headers.set("sec-fetch-site", "same-origin");
    if (cookies.size > 0) headers.set("cookie", [...cookies].map(([name, value]) => `${name}=${value}`).join("; "));
    const reply = await fetch(input as string, { ...(init as RequestInit), headers });
    keep(reply);
    return reply;
  };
  return { cookies, fetch: fetchWithCookies };
}
