import type { Principal } from "@countersign/shared";
import type { AccountId, SessionId } from "@countersign/shared/schemas";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { AccessTokenGrant } from "../crypto/access-token.ts";
import type { Db } from "../deps.ts";
import { migrate } from "../store/migrate.ts";
import { sqlite } from "../store/sqlite.ts";
import { type AccessTokens, type AccessTokensOptions, createAccessTokens } from "./access-tokens.ts";
import { createKeyRing, type KeyRing } from "./key-ring.ts";

const start = 1_800_000_000_500;
const secret = new Uint8Array(32).fill(7);
const randomBytes = (length: number) => crypto.getRandomValues(new Uint8Array(length));
const grant: AccessTokenGrant = {
  accountId: "0198c2a1-7f7e-7000-8000-000000000001" as AccountId,
  username: "alice",
  sessionId: "0198c2a1-7f7e-7000-8000-000000000002" as SessionId,
  clientId: "web",
  scopes: ["notes:read"],
  roles: ["admin"],
  version: 3,
  authTime: start,
  amr: ["pwd"],
  claims: { plan: "pro" },
};

let db: Db;
let keys: KeyRing;
let time: number;
const now = () => time;

beforeEach(async () => {
  time = start;
  db = await sqlite(":memory:").open();
  await migrate(db, { now });
  keys = await createKeyRing({
    db,
    now,
    randomBytes,
    secrets: [secret],
    accessTtlSeconds: 900,
    clockToleranceSeconds: 5,
  });
});

afterEach(() => db.destroy());

function open(options: Partial<AccessTokensOptions> = {}) {
  return createAccessTokens({
    keys,
    now,
    randomBytes,
    secrets: [secret],
    issuer: "https://auth.example.com",
    audience: "https://api.example.com",
    accessTtlSeconds: 900,
    clockToleranceSeconds: 5,
    ...options,
  });
}

async function refusal(work: () => Principal | Promise<Principal>): Promise<unknown> {
  return Promise.resolve(work()).then(
    () => "accepted",
    (error) => error.reason,
  );
}

test.each([false, true])("what is issued proves what was granted (encrypted: %s)", async (encrypt) => {
  const tokens = open({ encrypt });
  const { accessToken, expiresAt } = await issued(tokens);
  expect(accessToken.split(".")).toHaveLength(encrypt ? 5 : 3);
  expect(expiresAt).toEqual(new Date(1_800_000_900_000));
  expect(await tokens.verify(accessToken)).toMatchObject({
    accountId: grant.accountId,
    username: "alice",
    sessionId: grant.sessionId,
    clientId: "web",
    scopes: ["notes:read"],
    roles: ["admin"],
    version: 3,
    amr: ["pwd"],
    authTime: new Date(1_800_000_000_000),
    expiresAt,
    claims: { plan: "pro" },
  });
});

async function issued(tokens: AccessTokens): Promise<{ accessToken: string; expiresAt: Date }> {
  const { accessToken, expiresAt } = tokens.issue(grant);
  return { accessToken: await accessToken, expiresAt };
}

test("a token is verified once, and at once from then on", async () => {
  const tokens = open();
  const { accessToken } = await issued(tokens);
  const first = tokens.verify(accessToken);
  expect(first).toBeInstanceOf(Promise);
  const principal = await first;
  expect(tokens.verify(accessToken)).toBe(principal);
});

test("a refusal is never remembered", async () => {
  const tokens = open();
  const { accessToken } = await issued(tokens);
  time -= 60_000;
  expect(await refusal(() => tokens.verify(accessToken))).toBe("TOKEN_INVALID");
  time += 60_000;
  expect(await refusal(() => tokens.verify(accessToken))).toBe("accepted");
});

test("a token in the cache expires when every other does", async () => {
  const tokens = open();
  const { accessToken, expiresAt } = await issued(tokens);
  await tokens.verify(accessToken);
  time = expiresAt.getTime() + 4_999;
  expect(tokens.verify(accessToken)).not.toBeInstanceOf(Promise);
  time += 1;
  expect(await refusal(() => tokens.verify(accessToken))).toBe("TOKEN_EXPIRED");
});

test("a shorter lifetime holds for tokens that were issued before it", async () => {
  const { accessToken } = await issued(open());
  const tokens = open({ accessTtlSeconds: 60 });
  await tokens.verify(accessToken);
  time += 64_000;
  expect(await refusal(() => tokens.verify(accessToken))).toBe("accepted");
  time += 1_000;
  expect(await refusal(() => tokens.verify(accessToken))).toBe("TOKEN_EXPIRED");
});

test("what a key proved is forgotten with the key", async () => {
  const tokens = open();
  const { accessToken } = await issued(tokens);
  await tokens.verify(accessToken);
  await keys.rotate({ immediately: true });
  expect(tokens.verify(accessToken)).not.toBeInstanceOf(Promise);
  await keys.rotate({ compromised: true });
  expect(await refusal(() => tokens.verify(accessToken))).toBe("TOKEN_INVALID");
});

test("a verification that was under way when its key went leaves nothing behind", async () => {
  let removed: () => void = () => {};
  const tokens = open({ keys: { ...keys, onRemoved: (listener) => (removed = listener) } });
  const { accessToken } = await issued(tokens);
  const verifying = tokens.verify(accessToken);
  removed();
  await verifying;
  expect(tokens.verify(accessToken)).toBeInstanceOf(Promise);
});

test("tokens signed before a rotation are good after it", async () => {
  const tokens = open();
  const before = await issued(tokens);
  await keys.rotate({ immediately: true });
  const after = await issued(tokens);
  for (const { accessToken } of [before, after])
    expect(await refusal(() => tokens.verify(accessToken))).toBe("accepted");
});

test("encrypted tokens are good where new ones are not encrypted, and the other way round", async () => {
  const [plain, encrypting] = [open(), open({ encrypt: true })];
  expect(await refusal(async () => plain.verify((await issued(encrypting)).accessToken))).toBe("accepted");
  expect(await refusal(async () => encrypting.verify((await issued(plain)).accessToken))).toBe("accepted");
});

test("every token has an id of its own", async () => {
  const tokens = open();
  const [one, two] = await Promise.all([issued(tokens), issued(tokens)]);
  expect(one.accessToken).not.toBe(two.accessToken);
});

test("a token that cannot be made fails for whoever waits for it, and ends no process where nobody does", async () => {
  const unheard = vi.fn();
  process.on("unhandledRejection", unheard);
  const sign = () => Promise.reject(new Error("no signature"));
  const current = () => ({ ...keys.current(), sign });
  const { accessToken } = open({ keys: { ...keys, current } }).issue(grant);
  await new Promise(setImmediate);
  process.off("unhandledRejection", unheard);
  expect(unheard).not.toHaveBeenCalled();
  await expect(accessToken).rejects.toThrow("no signature");
});
