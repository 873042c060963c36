/** What the store's tests share: a folder that goes away, a database that closes, and an account without root's powers. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { inject } from "vitest";
import type { Db } from "../deps.ts";
import { StoreError, type StoreFailure } from "./database.ts";
import { sqlite } from "./sqlite.ts";

/** `nobody`, on the systems that we test on. */
const ordinaryUser = 65534;

const isRoot = process.geteuid?.() === 0;

/** A folder in the system's temporary one. It belongs to the ordinary user that {@link asOrdinaryUser} becomes. */
export function temporaryFolder(): Disposable & { at(...path: string[]): string } {
  const folder = mkdtempSync(join(tmpdir(), "countersign-"));
  if (isRoot) chownSync(folder, ordinaryUser, ordinaryUser);
  return {
    at: (...path) => join(folder, ...path),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/**
 * Runs `work` as a user whom file modes stop. Root may write anywhere, so a test that runs as root, as in most containers,
 * changes its effective user for the while; the kernel then takes root's capabilities away too.
 */
export async function asOrdinaryUser<T>(work: () => Promise<T>): Promise<T> {
  if (!isRoot) return work();
  process.seteuid?.(ordinaryUser);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

/** A database in memory without any table. */
export function emptyDatabase(): Promise<Db> {
  return sqlite(":memory:").open();
}

/** The URL of a new database, without any table, of the PostgreSQL that the tests share. */
export async function emptyPostgres(): Promise<string> {
  const url = inject("postgresUrl");
  const name = `store_${randomUUID().replaceAll("-", "")}`;
  const client = new pg.Client(url);
  await client.connect();
  await client.query(`create database ${name} template template0 strategy file_copy`);
  await client.end();
  return Object.assign(new URL(url), { pathname: name }).href;
}

/** Expects a promise to be rejected with a {@link StoreError} of this reason, and returns it. */
export async function expectStoreError(promise: Promise<unknown>, reason: StoreFailure): Promise<StoreError> {
  const error = await promise.then(
    () => null,
    (error: unknown) => error,
  );
  assert(error instanceof StoreError, `a StoreError, and not ${error}`);
  assert.equal(error.reason, reason);
  return error;
}
