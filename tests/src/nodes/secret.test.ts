/** The master secret is changed while two nodes serve, and nobody is signed out. */
import { expect, it } from "vitest";
import { fleet } from "../support/fleet.ts";
import { call, password, refresh, signIn, signUp, type Tokens, whoami } from "../support/wire.ts";
import { workplace } from "../support/workplace.ts";

const next = Buffer.from("fedcba9876543210".repeat(2)).toString("base64url");

it("old and new secrets are accepted during the change, and the old one is not needed after it", {
  timeout: 60_000,
}, async () => {
  await using nodes = await fleet(1);
  await using place = workplace();
  const { secret: old, databaseUrl } = nodes;
  const roll = async (secret: string, accepted: string) => {
    const node = await nodes.add({ env: { COUNTERSIGN_SECRET: secret, COUNTERSIGN_ACCEPTED_SECRETS: accepted } });
    return node.url;
  };
  const first = nodes.nodes[0]?.url ?? "";
  await signUp(first, "alice");
  let tokens = await signIn(first, "alice");
  const cookieOf = async (url: string) => {
    const { headers } = await call(url, "auth.cookie.login", {
      input: { username: "alice", password },
      headers: { "sec-fetch-site": "same-origin" },
    });
    return headers.getSetCookie()[0]?.split(";")[0] ?? "";
  };
  const cookie = await cookieOf(first);

  // Every node accepts the next one before any uses it; then every node uses it.
  const accepting = await roll(old, next);
  const changed = await roll(next, old);
  for (const [from, to] of [
    [first, accepting],
    [accepting, changed],
    [changed, accepting],
  ] as const) {
    tokens = (await refresh(from, tokens)).data as Tokens;
    expect(await whoami(to, tokens)).toMatchObject({ status: 200 });
    tokens = (await refresh(to, tokens)).data as Tokens;
    expect(tokens).toMatchObject({ refreshToken: expect.any(String) });
  }
  expect(await call(changed, "whoami", { headers: { cookie } })).toMatchObject({ status: 200 });
  expect(await call(accepting, "whoami", { headers: { cookie: await cookieOf(changed) } })).toMatchObject({
    status: 200,
  });

  const env = { DATABASE_URL: databaseUrl, COUNTERSIGN_SECRET: next, COUNTERSIGN_ACCEPTED_SECRETS: old };
  expect(await place.json(["secret", "rotate"], { env })).toEqual({ resealed: 1 });
  expect(await place.json(["secret", "rotate"], { env })).toEqual({ resealed: 0 });
  expect(await whoami(accepting, tokens)).toMatchObject({ status: 200 });

  const latest = (await refresh(changed, tokens)).data as Tokens;
  const last = await roll(next, "");
  expect(await whoami(last, latest)).toMatchObject({ status: 200 });
  expect(await refresh(last, latest)).toMatchObject({ status: 200 });
  // What only the old one vouches for is worth nothing any more.
  expect(await call(last, "whoami", { headers: { cookie } })).toMatchObject({ status: 401 });
});
