/** Express with passport and its JWT strategy, as passport-jwt's page has it. */
import express from "express";
import jwt from "jsonwebtoken";
import passport from "passport";
import { ExtractJwt, Strategy } from "passport-jwt";

const secret = "0123456789abcdef".repeat(2);
const claims = { issuer: "https://auth.example", audience: "https://auth.example" };
const user = { username: "alice", roles: [] };
const token = jwt.sign(user, secret, { ...claims, subject: "0192f0a0-0000-7000-8000-000000000001", expiresIn: "1h" });

passport.use(
  new Strategy(
    { ...claims, jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(), secretOrKey: secret, algorithms: ["HS256"] },
    (payload, done) => done(null, { id: payload.sub, username: payload.username, roles: payload.roles }),
  ),
);
const app = express();
app.disable("x-powered-by");
app.set("etag", false);
app.use(passport.initialize());
app.get("/users/me", passport.authenticate("jwt", { session: false }), (request, response) => {
  response.json(request.user);
});
app.listen(Number(process.env.PORT), "127.0.0.1", () => {
  const me = { path: "/users/me", headers: { authorization: `Bearer ${token}` } };
  console.log(JSON.stringify({ requests: { me } }));
});
