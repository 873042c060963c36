/** Requests for server-sent events: what they start ends with the stream, and the stream ends when the server stops. */
import type { Context } from "hono";

/** What `serve` gives to the app's `fetch`, beside Node's own objects. Other platforms give other things. */
export interface ServerEnvironment {
  /** Aborted when the server stops: what has no end of its own is to end now. */
  readonly stopping?: AbortSignal;
}

/** A request for a stream. */
export interface EventStream {
  readonly request: Request;
  /** The response to it, whose end ends what the request started. */
  respond(response: Response): Response;
}

/** The stream that a request asks for, as every `EventSource` does; `null` for other requests. */
export function openEventStream({ req, env }: Context): EventStream | null {
  if (req.method !== "GET" || !req.header("accept")?.includes("text/event-stream")) return null;
  const over = new AbortController();
  const end = () => over.abort();
  const { stopping } = (env ?? {}) as ServerEnvironment;
  // The stream is cut, and not ended with a word: a client that is told of no end comes again, and finds another node.
  for (const signal of [req.raw.signal, stopping]) {
    signal?.addEventListener("abort", end, { signal: over.signal });
    if (signal?.aborted) end();
  }
  return {
    request: new Request(req.raw, { signal: over.signal }),
    respond(response) {
      // tRPC aborts a resolver's signal when the caller goes. A stream that is ended here leaves the resolver waiting.
      if (response.body === null) end();
      const ending = new TransformStream<Uint8Array, Uint8Array>({ flush: end });
      return new Response(response.body?.pipeThrough(ending) ?? null, response);
    },
  };
}
