/** Fastify with @fastify/jwt and its cache of verified tokens, and a schema for the reply, as their pages advise for speed. */
import jwt from "@fastify/jwt";
import fastify from "fastify";

const claims = { iss: "https://auth.example", aud: "https://auth.example" };
const app = fastify();
await app.register(jwt, {
  secret: "0123456789abcdef".repeat(2),
  verify: { allowedIss: claims.iss, allowedAud: claims.aud, algorithms: ["HS256"], cache: 10_000 },
});
app.decorate("authenticate", async (request) => {
  await request.jwtVerify();
});
const text = { type: "string" };
const schema = {
  response: {
    200: {
      type: "object",
      properties: { id: text, username: text, roles: { type: "array", items: text } },
    },
  },
};
app.get("/users/me", { onRequest: [app.authenticate], schema }, async ({ user }) => ({
  id: user.sub,
  username: user.username,
  roles: user.roles,
}));
await app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" });
const user = { sub: "0192f0a0-0000-7000-8000-000000000001", username: "alice", roles: [] };
const token = app.jwt.sign({ ...user, ...claims }, { expiresIn: "1h" });
const me = { path: "/users/me", headers: { authorization: `Bearer ${token}` } };
console.log(JSON.stringify({ requests: { me } }));
