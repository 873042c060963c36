import { describe, expect, it } from "vitest";
import { administrator } from "../support/people.ts";
import { password, testApp } from "../support/test-app.ts";

type Users = Awaited<ReturnType<typeof administrator>>;

/** Every page's usernames, following the cursors. */
async function pages(users: Users, input: { limit?: number; search?: string }): Promise<string[][]> {
  const all: string[][] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<Users["list"]>> = await users.list({ ...input, ...(cursor !== null && { cursor }) });
    all.push(page.accounts.map(({ username }) => username));
    cursor = page.nextCursor;
  } while (cursor !== null);
  return all;
}

async function found(users: Users, search: string): Promise<string[]> {
  return (await users.list({ search })).accounts.map(({ username }) => username);
}

describe("users.list", () => {
  it("pages through more accounts than one page holds: each once, in the order of usernames", async () => {
    await using app = await testApp();
    const users = await administrator(app);
    const names = Array.from({ length: 119 }, (_, index) => `person${String(index).padStart(3, "0")}`);
    for (const username of names.toReversed()) await users.create({ username, password });
    const expected = [...names, "root"];

    const byDefault = await pages(users, {});
    expect(byDefault.map((page) => page.length)).toEqual([50, 50, 20]);
    expect(byDefault.flat()).toEqual(expected);
    const largest = await pages(users, { limit: 100 });
    expect(largest.map((page) => page.length)).toEqual([100, 20]);
    // No empty page after the last full one.
    expect((await pages(users, { limit: 60 })).map((page) => page.length)).toEqual([60, 60]);
    expect((await pages(users, { limit: 7, search: "person01" })).flat()).toEqual(names.slice(10, 20));
  });

  it("refuses pages of more than 100 and of none", async () => {
    await using app = await testApp();
    const users = await administrator(app);
    for (const limit of [101, 0]) await expect(users.list({ limit })).rejects.toMatchObject({ code: "BAD_REQUEST" });
  });

  it("finds by the beginning of a username or of an e-mail address, in any spelling", async () => {
    await using app = await testApp();
    const users = await administrator(app);
    await users.create({ username: "Bobby", password });
    await users.create({ username: "alice", email: "bob.ross@example.com", password });
    await users.create({ username: "jimbob", email: "jim@example.com", password });
    expect(await found(users, "bob")).toEqual(["alice", "Bobby"]);
    expect(await found(users, "BOB")).toEqual(["alice", "Bobby"]);
    expect(await found(users, "ｂｏｂ")).toEqual(["alice", "Bobby"]);
    expect(await found(users, "bob.ross@EXAMPLE.com")).toEqual(["alice"]);
    expect(await found(users, "ross")).toEqual([]);
  });

  it("takes no character of a search for a wildcard", async () => {
    await using app = await testApp();
    const users = await administrator(app);
    await users.create({ username: "snake_case", password });
    expect(await found(users, "snake_")).toEqual(["snake_case"]);
    for (const search of ["%", "_", "s*", "snake?", "sn%"]) expect(await found(users, search)).toEqual([]);
  });

  it("never shows a password's hash", async () => {
    await using app = await testApp();
    const users = await administrator(app);
    await users.create({ username: "alice", password });
    expect(JSON.stringify(await users.list())).not.toContain("argon2");
  });

  // U+FDFA is one letter, and eighteen once its compatibility form is written out: the key of a short name can be long.
  it("pages past a username whose normal form is long", async () => {
    await using app = await testApp();
    const users = await administrator(app);
    await users.create({ username: "\u{FDFA}".repeat(64), password });
    await users.create({ username: "\u{FDFA}".repeat(63), password });
    expect((await pages(users, { limit: 1 })).flat()).toHaveLength(3);
  });
});
