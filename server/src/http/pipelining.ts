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
 * Refuses what one connection asks while a hundred other requests of it wait for their answers, which come in their order (RFC 9112
 * §9.3.2: the client asks again elsewhere for what has none). What comes after the refusal is not looked at: a refusal ends the connection.
 */
export function limitPipelining(answer: RequestListener, refuse: (response: ServerResponse) => void): RequestListener {
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
    if (asked.waiting > mostWaiting + 1) return;
    if (asked.waiting > mostWaiting) return refuse(response);
    response.once("close", () => {
      asked.waiting -= 1;
    });
    answer(request, response);
  };
}
