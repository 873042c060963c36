/**
 * The websites that a test's browser can reach, under names as they have them outside: the server's own, and an attacker's
 * under every other. Names of `localhost` would not do: a browser keeps no cookie for all of its hosts.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse, request as send } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { BrowserContextOptions } from "playwright-core";
import { generate } from "selfsigned";

/** A request that reached the server's own website, and what it was answered. */
export interface Exchange {
  readonly method: string;
  readonly url: URL;
  readonly cookie: string;
  readonly status: number;
  readonly setCookie: readonly string[];
}

export interface Websites extends AsyncDisposable {
  /** The origin of the server's own. */
  readonly url: string;
  /** What has reached it, in the order of its answers. */
  readonly exchanges: Exchange[];
  /** What a browser's context needs to reach them. */
  readonly context: BrowserContextOptions;
}

/** Ends with its block. @param own The origin of the server's website, as in `https://app.victim.test`. */
export async function websites(app: { readonly url: string }, own: string): Promise<Websites> {
  const exchanges: Exchange[] = [];
  const { private: key, cert } = await generate([{ name: "commonName", value: new URL(own).hostname }]);

  function answer(request: IncomingMessage, reply: ServerResponse, scheme: "http" | "https"): void {
    const url = new URL(request.url ?? "/", `${scheme}://${request.headers.host}`);
    if (url.origin === own) forward(request, { url, reply });
    else
      reply
        .setHeader("content-type", "text/html")
        .end("<!doctype html><title>Attack</title><link rel=icon href=data:,>");
  }

  function forward(request: IncomingMessage, { url, reply }: { url: URL; reply: ServerResponse }): void {
    const { method = "GET", headers } = request;
    const upstream = send(app.url + url.pathname + url.search, { method, headers }, (answered) => {
      const { statusCode: status = 0, headers: answeredHeaders } = answered;
      const setCookie = answeredHeaders["set-cookie"] ?? [];
      exchanges.push({ method, url, cookie: headers.cookie ?? "", status, setCookie });
      answered.pipe(reply.writeHead(status, answeredHeaders));
    });
    // The browser goes away in the middle where a test ends, or a page.
    upstream.on("error", () => reply.destroy());
    reply.on("close", () => upstream.destroy());
    request.pipe(upstream);
  }

  const secure = createSecureServer({ key, cert }, (request, reply) => answer(request, reply, "https"));
  const proxy = createServer((request, reply) => answer(request, reply, "http"));
  proxy.on("connect", (_, socket) => {
    socket.on("error", () => {});
    socket.write("HTTP/1.1 200 Connected\r\n\r\n");
    secure.emit("connection", socket);
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const address = proxy.address();
  if (address === null || typeof address === "string") throw new Error("the system gave no port");
  return {
    url: own,
    exchanges,
    context: { proxy: { server: `http://127.0.0.1:${address.port}` }, ignoreHTTPSErrors: true },
    async [Symbol.asyncDispose]() {
      proxy.close();
      proxy.closeAllConnections();
      secure.closeAllConnections();
    },
  };
}
