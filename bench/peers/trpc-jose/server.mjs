/** The usual tutorial: tRPC's own HTTP server, and a middleware that verifies the bearer token of each request with jose. */
import { initTRPC, TRPCError } from "@trpc/server";
import { createHTTPServer } from "@trpc/server/adapters/standalone";
import { jwtVerify, SignJWT } from "jose";

const secret = new TextEncoder().encode("0123456789abcdef".repeat(2));
const claims = { issuer: "https://auth.example", audience: "https://auth.example" };
const token = await new SignJWT({ username: "alice", roles: [] })
  .setProtectedHeader({ alg: "HS256" })
  .setSubject("0192f0a0-0000-7000-8000-000000000001")
  .setIssuer(claims.issuer)
  .setAudience(claims.audience)
  .setIssuedAt()
  .setExpirationTime("1h")
  .sign(secret);

const t = initTRPC.context().create();
const protectedProcedure = t.procedure.use(async ({ ctx, next }) => {
  const bearer = /^Bearer (.+)$/.exec(ctx.authorization ?? "")?.[1];
  if (bearer === undefined) throw new TRPCError({ code: "UNAUTHORIZED" });
  try {
    const { payload } = await jwtVerify(bearer, secret, { ...claims, algorithms: ["HS256"] });
    return await next({ ctx: { user: { id: payload.sub, username: payload.username, roles: payload.roles } } });
  } catch {
    throw new TRPCError({ code: "UNAUTHORIZED" });
  }
});

const server = createHTTPServer({
  router: t.router({
    ping: t.procedure.query(() => "pong"),
    me: protectedProcedure.query(({ ctx }) => ctx.user),
  }),
  createContext: ({ req }) => ({ authorization: req.headers.authorization }),
});
server.listen(Number(process.env.PORT), "127.0.0.1", () => {
  const requests = {
    ping: { path: "/ping" },
    query: { path: "/me", headers: { authorization: `Bearer ${token}` } },
  };
  console.log(JSON.stringify({ requests }));
});
