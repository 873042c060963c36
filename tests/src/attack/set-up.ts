/** The first account of a node, which only whoever started it can make. */
import { createAuth } from "@countersign/server";
import { sqlite } from "@countersign/server/sqlite";
import { expect } from "vitest";
import { secret } from "../support/node-process.ts";
import { call, password } from "../support/wire.ts";
import { origin } from "./attacked.ts";

/** What is printed where a server of the nodes' secret starts. */
export async function setupCode(): Promise<string> {
  await using auth = createAuth({ database: sqlite(":memory:"), secret, issuer: origin });
  return (await auth.start()).setupCode;
}

/** Makes it, for an administrator, Root. */
export async function setUp(url: string): Promise<void> {
  const input = { username: "root", password, code: await setupCode() };
  expect(await call(url, "auth.cookie.setUp", { input, headers: { origin } })).toMatchObject({ reason: null });
}
