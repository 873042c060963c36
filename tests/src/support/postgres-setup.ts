/** Starts the PostgreSQL that the test files of a project share, and stops it when they are done. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { TestProject } from "vitest/node";
import { runStatement, startPostgres } from "./postgres-server.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** What the tests of this project run on. */
    dialect: "sqlite" | "postgres";
    /** Of the shared PostgreSQL's database "postgres". */
    postgresUrl: string;
  }
}

/** Of which each test's database is a copy: migrating every one anew would double the time. */
export const template = "countersign_template";

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Nothing of it has to outlive the tests.
  const flags = ["fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=300"];
  const server = await startPostgres(flags.flatMap((flag) => ["-c", flag]));
  await makeTemplate(server.url);
  project.provide("postgresUrl", server.url);
  return () => server[Symbol.asyncDispose]();
}

async function makeTemplate(url: string): Promise<void> {
  await runStatement(url, `create database ${template}`);
  const own = Object.assign(new URL(url), { pathname: template }).href;
  const program = fileURLToPath(new URL("../../../server/src/cli/main.ts", import.meta.url));
  const args = ["--conditions=@countersign/source", program, "migrate", "up"];
  await promisify(execFile)(process.execPath, args, { env: { ...process.env, DATABASE_URL: own } });
}
