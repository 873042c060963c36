import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { getRequestListener } from "@hono/node-server";
import type { App } from "./app.ts";
import type { ServerEnvironment } from "./event-stream.ts";
import { limitPipelining } from "./pipelining.ts";
import { type ErrorBody, reply } from "./refusal.ts";

/** A listening server. */
export interface Served {
  /** Where it listens, as in `http://127.0.0.1:3000`. */
  readonly url: string;
  /**
   * Stops accepting, ends the subscriptions, whose clients come again elsewhere, lets the other requests under way end (at
   * most `drainMs`; default 10,000), then cuts what is left.
   */
  close(options?: { drainMs?: number }): Promise<void>;
}

/** Why the server does not listen. The message says what to do. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

/**
 * Listens on Node.
 *
 * @throws {ListenError} when the port is in use or may not be used.
 */
export async function serve(app: Pick<App, "fetch">, { port, host }: { port: number; host: string }): Promise<Served> {
  // The app answers its own errors: what comes here is a request that has no valid address, as with a broken Host.
  const stopping = new AbortController();
  const environment = { stopping: stopping.signal } satisfies ServerEnvironment;
  const listener = getRequestListener((request, env) => app.fetch(request, { ...env, ...environment }), {
    errorHandler: () => reply(400, unreadable),
  });
  const server = createServer(patience, limitPipelining(listener, refusePipelined));
  server.on("clientError", refuseUnreadable);
  await listen(server, port, host);
  const { port: actualPort } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${actualPort}`,
    async close({ drainMs = 10_000 } = {}) {
      stopping.abort();
      // Whoever has connected while the process was busy waits to be accepted, and would be cut: an immediate comes after that.
      await setImmediate();
      await drain(server, drainMs);
    },
  };
}

/**
 * How long a request may take to arrive: many times what a slow line needs for the largest. Node's own limits would let a
 * stranger hold a connection for minutes with a letter now and then.
 */
const patience = { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 2_000 };

const unreadable: ErrorBody = {
  error: "invalid_request",
  error_description: "This is not a valid HTTP request.",
  reason: "BAD_REQUEST",
};
const tooLong: ErrorBody = { ...unreadable, error_description: "The address and the headers are too long." };
const tooSlow: ErrorBody = { ...unreadable, error_description: "The request took too long to arrive." };
const tooMany: ErrorBody = {
  ...unreadable,
  error_description: "Too many requests of this connection wait for answers.",
};

/** Answers what never became a request, as any other error is answered, and ends the connection. */
function refuseUnreadable({ code }: NodeJS.ErrnoException, socket: Socket): void {
  // Nothing is written into a reply that may have begun.
  if (!socket.writable || socket.bytesWritten > 0) socket.destroy();
  else if (code === "HPE_HEADER_OVERFLOW") end(socket, "431 Request Header Fields Too Large", tooLong);
  else if (code === "ERR_HTTP_REQUEST_TIMEOUT") end(socket, "408 Request Timeout", tooSlow);
  else end(socket, "400 Bad Request", unreadable);
}

function refusePipelined(socket: Socket): void {
  if (socket.bytesWritten > 0) socket.destroy();
  else end(socket, "400 Bad Request", tooMany);
}

function end(socket: Socket, status: string, error: ErrorBody): void {
  const body = JSON.stringify(error);
  const headers = `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close`;
  socket.end(`HTTP/1.1 ${status}\r\n${headers}\r\n\r\n${body}`, () => socket.destroy());
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(new ListenError(explain(error, port, host), { cause: error })),
    );
    server.listen(port, host, resolve);
  });
}

function explain({ code, message }: NodeJS.ErrnoException, port: number, host: string): string {
  if (code === "EADDRINUSE") return `Port ${port} on ${host} is in use. Stop what uses it, or set PORT to another.`;
  if (code === "EACCES") return `Port ${port} may not be used by this user. Set PORT to one above 1023.`;
  if (code === "EADDRNOTAVAIL") return `${host} is no address of this machine. Set HOST to one that is.`;
  return `Cannot listen on ${host}:${port}: ${message}.`;
}

function drain(server: Server, drainMs: number): Promise<void> {
  return new Promise((resolve) => {
    // A connection that is kept alive is idle only between requests: it has to be asked again and again.
    const sweep = setInterval(() => server.closeIdleConnections(), 50);
    const deadline = setTimeout(() => server.closeAllConnections(), drainMs);
    server.close(() => {
      clearInterval(sweep);
      clearTimeout(deadline);
      resolve();
    });
    server.closeIdleConnections();
  });
}
