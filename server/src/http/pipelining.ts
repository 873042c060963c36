/** What one connection may ask at once. */
import type { RequestListener, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Many times what any client does. A packet can hold two thousand, which Node begins together, while everybody else waits. */
const mostWaiting = 100;

interface Asked {
  /** The reply to what was asked last. */
  last: ServerResponse;
  /** Requests that came before the one before them had its answer. */
  waiting: number;
}

/**
 * Ends a connection that asks while a hundred other requests of it wait for their answers (RFC 9112 §9.3.2: the client asks again
 * elsewhere for what has none). At once, and not in its turn: behind an answer that takes long it would go on asking, without end.
 */
export function limitPipelining(answer: RequestListener, end: (socket: Socket) => void): RequestListener {
  const connections = new WeakMap<Socket, Asked>();
  return (request, response) => {
    const asked = connections.get(request.socket);
    if (asked === undefined) {
      connections.set(request.socket, { last: response, waiting: 0 });
      return answer(request, response);
    }
    const waits = !asked.last.writableFinished;
    asked.last = response;
    if (!waits) return answer(request, response);
    asked.waiting += 1;
    // What the same packet held is still read.
    if (asked.waiting > mostWaiting + 1) return;
    if (asked.waiting > mostWaiting) return end(request.socket);
    response.once("close", () => {
      asked.waiting -= 1;
    });
    answer(request, response);
  };
}
