/** What is small to send and much to read: it is answered for what it is, and keeps nobody waiting. */
import { beforeAll, expect, it, vi } from "vitest";
import { rawRequest } from "../support/raw-request.ts";
import { signUp, type Tokens } from "../support/wire.ts";
import { type Attacked, attacked, type Memory, origin } from "./attacked.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let target: Attacked;
let tokens: Tokens;
let before: Memory;
beforeAll(async () => {
  target = await attacked();
  tokens = await signUp(target.url, "alice");
  before = await target.memory();
  return () => target[Symbol.asyncDispose]();
});

async function expectStatus(path: string, status: number, init: RequestInit): Promise<Response> {
  const reply = await fetch(`${target.url}${path}`, { redirect: "manual", ...init });
  const text = await reply.text();
  expect(reply.status, `${path.slice(0, 100)}: ${text.slice(0, 300)}`).toBe(status);
  return reply;
}

const lists = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
const objects = (depth: number, within: string) => `${'{"a":'.repeat(depth)}${within}${"}".repeat(depth)}`;
const json = (input: object, meta?: object) => JSON.stringify({ json: input, meta });

const bodies: readonly (readonly [what: string, status: 400 | 413, body: string])[] = [
  ["lists in lists", 400, `{"json":${lists(51_000)}}`],
  ["lists in lists, 100,000 of them", 413, `{"json":${lists(100_000)}}`],
  ["lists that are never closed, 100,000 of them", 400, `{"json":${"[".repeat(100_000)}`],
  ["lists in a field", 400, `{"json":{"username":${lists(50_000)},"password":"x"}}`],
  ["objects in objects", 400, `{"json":${objects(16_000, "1")}}`],
  ["objects that are never closed", 400, `{"json":${'{"a":'.repeat(20_000)}`],
  ["meta in meta", 400, `{"json":{},"meta":{"values":${objects(16_000, '["Date"]')}}}`],
  ["many keys", 400, json(Object.fromEntries(Array.from({ length: 8_000 }, (_, n) => [`k${n}`, n])))],
  ["a long number", 400, `{"json":{"username":${"9".repeat(90_000)},"password":"x"}}`],
  ["a long bigint", 400, json({ username: "9".repeat(90_000) }, { values: { username: ["bigint"] } })],
  ["a long date", 400, json({ username: "9".repeat(90_000) }, { values: { username: ["Date"] } })],
  ["a large set", 400, json({ username: Array(30_000).fill([]) }, { values: { username: ["set"] } })],
  ["a large map", 400, json({ username: Array(15_000).fill([1, 2]) }, { values: { username: ["map"] } })],
  ["a long path in meta", 400, json({}, { values: { ["a.".repeat(45_000)]: ["Date"] } })],
  ["a long name", 400, json({ username: "a".repeat(95_000), password: "x" })],
  ["a name of many parts", 400, json({ username: "a-".repeat(45_000), password: "x" })],
  ["a long password", 400, json({ username: "alice", password: "a".repeat(95_000) })],
  ["an address of many parts", 400, json({ username: "bob", password: "x", email: "a.".repeat(45_000) })],
  ["an address at many domains", 400, json({ username: "bob", password: "x", email: `a@${"a.".repeat(45_000)}1` })],
  ["an address at a long domain", 400, json({ username: "bob", password: "x", email: `a@${"a-".repeat(45_000)}` })],
  ["many scopes", 400, json({ username: "bob", password: "x", scope: `${"a ".repeat(45_000)}"` })],
  ["marks without a letter", 400, json({ username: `a${"\u0301".repeat(30_000)}`, password: "x" })],
  ["references without end", 400, json({ a: {} }, { referentialEqualities: { a: Array(9_000).fill("a") } })],
  ["a prototype", 400, '{"json":{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}}}'],
  [
    "a prototype in meta",
    400,
    '{"json":{},"meta":{"values":{"__proto__.isAdmin":["undefined"],"constructor.prototype":["Date"]}}}',
  ],
  ["a class", 400, json({ username: "x" }, { values: { username: [["class", "Function"]] } })],
  ["a pattern", 400, json({ username: "/(a+)+$/" }, { values: { username: ["regexp"] } })],
];

it.each(bodies)("a body of %s is refused with %i, and keeps nobody waiting", async (_, status, body) => {
  const headers = { "content-type": "application/json", authorization: `Bearer ${tokens.accessToken}` };
  await target.expectPrompt(async () => {
    for (const path of ["auth.login", "auth.register", "write"])
      await expectStatus(`/trpc/${path}`, status, { method: "POST", body, headers });
  });
});

/** All headers and the address have 16 KiB together. */
const inputs: readonly (readonly [what: string, status: 400 | 431, address: string])[] = [
  ["lists in lists", 400, `length?input={"json":${lists(7_900)}}`],
  ["lists that are never closed", 400, `length?input={"json":${"[".repeat(15_900)}`],
  ["lists that are never closed, 100,000 of them", 431, `length?input={"json":${"[".repeat(100_000)}`],
  ["objects in objects", 400, `length?input={"json":${objects(2_000, "1")}}`],
  ["lists in lists, for each of a batch", 400, `length,length?batch=1&input={"0":{"json":${lists(7_900)}}}`],
  ["many calls", 400, `${"ping,".repeat(3_000)}ping?batch=1`],
];

it.each(inputs)("an address of %s is refused with %i, and keeps nobody waiting", async (_, status, address) => {
  await target.expectPrompt(async () => {
    const { status: answered, body } = await rawRequest(target.url, [`GET /trpc/${address} HTTP/1.1`]);
    expect(answered, body.slice(0, 300)).toBe(status);
  });
});

const names = Array.from({ length: 9_000 }, (_, n) => `name${n}`).join("&");
const forms: readonly (readonly [what: string, path: string, status: number, body: string])[] = [
  // Each name was looked up among all: seconds, for whoever sent one.
  ["many names", "/token", 400, names],
  ["one name, often", "/token", 400, "name&".repeat(20_000)],
  ["many names", "/sign-in", 400, names],
  ["many names", "/sign-up", 400, names],
  ["many names", "/preferences", 303, names],
  ["a way back of many slashes", "/preferences", 303, `back=${"/".repeat(100_000)}`],
  ["a way back of many steps", "/preferences", 303, `back=${"/a/..".repeat(20_000)}`],
  ["a way back of many ways back", "/preferences", 303, `back=/sign-in?${"return_to=/%26".repeat(7_000)}`],
];

it.each(forms)("a form of %s for %s gets %i, and keeps nobody waiting", async (_, path, status, body) => {
  const headers = { "content-type": "application/x-www-form-urlencoded", origin };
  await target.expectPrompt(async () => {
    await expectStatus(path, status, { method: "POST", body, headers });
  });
});

it("a language whose name is as long as a body becomes no cookie", async () => {
  const body = new URLSearchParams({ language: `de-${"A".repeat(90_000)}` });
  const reply = await expectStatus("/preferences", 303, { method: "POST", body, headers: { origin } });
  expect(reply.headers.getSetCookie()).toEqual([]);
});

it.each<[header: string, value: string]>([
  ["accept-language", Array.from({ length: 1_500 }, (_, n) => `${n.toString(36)};q=1`).join()],
  ["cookie", Array.from({ length: 2_000 }, (_, n) => `${n.toString(36)}=1`).join(";")],
  ["cookie", `__Host-countersign=${"%41".repeat(5_000)}`],
])("a page is there at once for a long header %s", async (header, value) => {
  await target.expectPrompt(async () => {
    await expectStatus("/sign-in", 200, { headers: { [header]: value } });
  });
});

it("all is as it was before", async () => {
  await target.expectAsBefore(before);
});
