/** Auth.js in Express, with its default session: an encrypted token in a cookie. */
import { encode } from "@auth/core/jwt";
import { ExpressAuth } from "@auth/express";
import Credentials from "@auth/express/providers/credentials";
import express from "express";

const secret = "0123456789abcdef".repeat(2);
const cookie = "authjs.session-token";
const app = express();
app.disable("x-powered-by");
app.use("/auth", ExpressAuth({ secret, trustHost: true, providers: [Credentials({ authorize: () => null })] }));
const token = await encode({
  token: { sub: "0192f0a0-0000-7000-8000-000000000001", name: "alice", email: "alice@example.com" },
  secret,
  salt: cookie,
});
app.listen(Number(process.env.PORT), "127.0.0.1", () => {
  const me = { path: "/auth/session", headers: { cookie: `${cookie}=${token}` } };
  console.log(JSON.stringify({ requests: { me } }));
});
