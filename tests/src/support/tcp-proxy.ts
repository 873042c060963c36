/** What lies between a node and its database: a line that can be slow, or cut. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface TcpProxy extends AsyncDisposable {
  /** The database's URL, by way of the line. */
  readonly url: string;
  /** How late each answer is. */
  delayMs: number;
  /** Whether nothing is let through any more, and nothing refused: packets are lost. */
  isSilent: boolean;
  /** Whether connections end as soon as they are made. */
  isDown: boolean;
  /** Ends every connection there is. */
  cut(): void;
}

export async function tcpProxy(databaseUrl: string): Promise<TcpProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    if (proxy.isDown) {
      near.destroy();
      return;
    }
    const far = connect(Number(target.port), target.hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.on("data", (data) => !proxy.isSilent && far.write(data));
    far.on("data", (data) => {
      if (proxy.isSilent) return;
      if (proxy.delayMs === 0) near.write(data);
      else setTimeout(() => near.writable && near.write(data), proxy.delayMs);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const proxy: TcpProxy = {
    url: Object.assign(new URL(databaseUrl), { port: String(port) }).href,
    delayMs: 0,
    isSilent: false,
    isDown: false,
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    async [Symbol.asyncDispose]() {
      proxy.cut();
      server.close();
      await once(server, "close");
    },
  };
  return proxy;
}
