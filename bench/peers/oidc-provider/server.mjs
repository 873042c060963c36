/** oidc-provider's userinfo endpoint, with an opaque access token and its store in memory. */
import Provider from "oidc-provider";

const client = {
  client_id: "bench",
  client_secret: "0123456789abcdef",
  redirect_uris: ["https://app.example/callback"],
};
const provider = new Provider(`http://127.0.0.1:${process.env.PORT}`, {
  clients: [client],
  claims: { openid: ["sub", "username"] },
  features: { devInteractions: { enabled: false } },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, username: "alice" }) }),
});
const accountId = "0192f0a0-0000-7000-8000-000000000001";
const grant = new provider.Grant({ accountId, clientId: client.client_id });
grant.addOIDCScope("openid");
const grantId = await grant.save();
const token = await new provider.AccessToken({
  accountId,
  grantId,
  client: await provider.Client.find(client.client_id),
  scope: "openid",
  gty: "authorization_code",
}).save();
provider.listen(Number(process.env.PORT), "127.0.0.1", () => {
  const me = { path: "/me", headers: { authorization: `Bearer ${token}` } };
  console.log(JSON.stringify({ requests: { me } }));
});
