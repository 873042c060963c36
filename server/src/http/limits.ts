import type { Context, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";

/** The largest body that is read: more than any sign-in needs. */
const maxBodyBytes = 100 * 1024;

/** Refuses larger bodies, also those that do not say how long they are. */
export function limitBody(refuse: (context: Context) => Response | Promise<Response>): MiddlewareHandler {
  const limit = bodyLimit({
    maxSize: maxBodyBytes,
    async onError(context) {
      const refusal = await refuse(context);
      // The rest of the body is not read, so the connection ends here: a client must not send its next request on it.
      refusal.headers.set("connection", "close");
      return refusal;
    },
  });
  // Hono asks for the body first, which costs the adapter a whole Request: not for a GET, whose body is never read, nor where the
  // length is told, which servers hold a sender to.
  return (context, next) => (context.req.method === "GET" || isShort(context) ? next() : limit(context, next));
}

/** Of two lengths, the other is the one that counts (RFC 9112 §6.3). What is no number, servers refuse; none at all is not short. */
function isShort({ req }: Context): boolean {
  return req.header("transfer-encoding") === undefined && Number(req.header("content-length")) <= maxBodyBytes;
}
