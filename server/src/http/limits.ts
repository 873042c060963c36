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
  // A GET's body is never read, and to ask for it would cost the adapter a whole Request.
  return (context, next) => (context.req.method === "GET" ? next() : limit(context, next));
}
