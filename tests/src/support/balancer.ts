/** A balancer that honours `/readyz`, as nginx's and Kubernetes' do: it looks often, and sends nothing to who is not ready. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

export async function balancer(urls: readonly string[], { everyMs = 250 } = {}) {
  const ready = new Set(urls);
  let isOver = false;

  async function look(url: string): Promise<void> {
    while (!isOver) {
      const isReady = await fetch(`${url}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (isReady) ready.add(url);
      else ready.delete(url);
      await sleep(everyMs);
    }
  }

  let turn = 0;
  const server = createServer(async (incoming, outgoing) => {
    const candidates = [...ready];
    turn += 1;
    const url = candidates[turn % candidates.length];
    try {
      const body = await buffer(incoming);
      const reply = await fetch(`${url}${incoming.url}`, {
        method: incoming.method ?? "GET",
        headers: { "content-type": "application/json", authorization: incoming.headers.authorization ?? "" },
        ...(body.byteLength > 0 && { body }),
      });
      const retryAfter = reply.headers.get("retry-after");
      outgoing.writeHead(reply.status, {
        "content-type": "application/json",
        ...(retryAfter !== null && { "retry-after": retryAfter }),
      });
      outgoing.end(Buffer.from(await reply.arrayBuffer()));
    } catch (error) {
      outgoing.writeHead(502, { "content-type": "application/json" });
      outgoing.end(JSON.stringify({ error: { json: { data: { reason: `502: ${error}` } } } }));
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const looks = urls.map(look);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    isReady: (url: string) => ready.has(url),
    async [Symbol.asyncDispose]() {
      isOver = true;
      server.closeAllConnections();
      server.close();
      await Promise.all(looks);
    },
  };
}
