import { expect, it } from "vitest";
import { type FeedMessage, signFeedMessage } from "../crypto/feed-message.ts";
import { importSigningKey } from "../crypto/import-signing-key.ts";
import { generateKey, importVerificationKey, publicPart } from "../crypto/signing-key.ts";
import { createIssuerFeed } from "./issuer-feed.ts";

const issuer = "https://auth.example";
const start = 1_800_000_000_000;
const hour = 3_600_000;
const jwk = await generateKey((length) => crypto.getRandomValues(new Uint8Array(length)), "EdDSA");
const key = importSigningKey(jwk, "key-1", "EdDSA");
const publicJwk = publicPart(jwk, "key-1", "EdDSA");
if (publicJwk === null) throw new Error("EdDSA has public keys");
const verificationKey = await importVerificationKey(publicJwk, "key-1", "EdDSA");

/** The feed of an issuer that is asked each time, and both clocks. */
function askingFeed() {
  const state = {
    time: start,
    issuerTime: start,
    message: { from: 0, to: 0, events: [] } as Omit<FeedMessage, "asOf">,
    asked: [] as number[],
    errors: [] as unknown[],
  };
  const feed = createIssuerFeed({
    url: `${issuer}/trpc/auth.feed`,
    issuer,
    async fetch(address) {
      const { json } = JSON.parse(new URL(address).searchParams.get("input") ?? "");
      state.asked.push(json.after);
      const signed = await signFeedMessage(key, issuer, { asOf: state.issuerTime, ...state.message });
      return Response.json({ result: { data: { json: signed } } });
    },
    now: () => state.time,
    keyFor: async () => verificationKey,
    onKeysChanged: async () => {},
    staleAfterMs: 10_000,
    keepsConnections: false,
    onError: (error) => state.errors.push(error),
  });
  return Object.assign(state, { feed });
}

it("asks once a second at most, and goes on where it was", async () => {
  const asking = askingFeed();
  asking.message = { from: 0, to: 7, events: [] };
  await asking.feed.refresh();
  asking.time += 999;
  await asking.feed.refresh();
  expect(asking.asked).toEqual([0]);
  asking.time += 1;
  await asking.feed.refresh();
  expect(asking.asked).toEqual([0, 7]);
});

it("asks anew when its clock was ahead, and is right again", async () => {
  const asking = askingFeed();
  asking.time += hour;
  await asking.feed.refresh();
  asking.time = start;
  asking.message = { from: 0, to: 1, events: [{ session: "c2Vzc2lvbg" }] };
  await asking.feed.refresh();
  expect(asking.feed.objectionTo({ session: "c2Vzc2lvbg", account: "", version: 0 })).toBe("SESSION_REVOKED");
});

it("is stale soon after nothing comes any more, where the issuer's clock was ahead", async () => {
  const asking = askingFeed();
  asking.issuerTime += hour;
  await asking.feed.refresh();
  expect(asking.feed.isStale()).toBe(false);
  asking.time += 10_001;
  expect(asking.feed.isStale()).toBe(true);
});

it("goes on where the issuer's clock was ahead, and is right again", async () => {
  const asking = askingFeed();
  asking.issuerTime += hour;
  asking.message = { from: 0, to: 3, events: [] };
  await asking.feed.refresh();
  for (const to of [4, 5]) {
    asking.time += 1_000;
    asking.issuerTime = asking.time;
    asking.message = { from: to - 1, to, events: [] };
    await asking.feed.refresh();
  }
  expect([asking.asked, asking.errors, asking.feed.isStale()]).toEqual([[0, 3, 4], [], false]);
});

it("is stale where its own clock was ahead, until it hears something", async () => {
  const asking = askingFeed();
  asking.time += hour;
  asking.issuerTime += hour;
  await asking.feed.refresh();
  asking.time = start;
  asking.issuerTime = start;
  expect(asking.feed.isStale()).toBe(true);
  await asking.feed.refresh();
  expect(asking.feed.isStale()).toBe(false);
});
