/** The systems that are compared: ours and its peers, each in production mode, as its own documentation advises. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Bench } from "./bench.ts";
import { type Contestant, startContestant } from "./contestant.ts";
import type { Core } from "./pinned.ts";

export interface System {
  readonly name: string;
  /** What each request is checked for, and what it costs to know. */
  readonly checks: string;
  /** How passwords are hashed, where it signs people in. */
  readonly hash?: string;
  start(bench: Bench): Promise<Contestant>;
}

const folderOf = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** Ours, on a new SQLite unless a database is given. */
export function startOurs(
  bench: Bench,
  { name = "countersign", tokens = 1, core = "server", databaseUrl }: OursOptions = {},
): Promise<Contestant> {
  const env = { DATABASE_URL: databaseUrl ?? `file:${bench.file(`${name}.db`)}`, TOKENS: String(tokens) };
  return startContestant({
    command: process.execPath,
    args: ["countersign.ts"],
    folder: folderOf("servers"),
    env,
    core,
  });
}

interface OursOptions {
  readonly name?: string;
  readonly tokens?: number;
  readonly core?: Core;
  readonly databaseUrl?: string;
}

/** A Hono route that answers what ours answered to a request. */
export async function startBareHono({ url, requests }: Contestant): Promise<Contestant> {
  const { path = "/users/me", headers = {} } = requests.me?.[0] ?? {};
  const answer = await fetch(`${url}${path}`, { headers });
  const ofTheConnection = new Set(["connection", "content-length", "date", "keep-alive", "transfer-encoding"]);
  const kept = [...answer.headers].filter(([name]) => !ofTheConnection.has(name));
  const env = { REPLY: JSON.stringify({ headers: Object.fromEntries(kept), body: await answer.json() }) };
  return startContestant({ command: process.execPath, args: ["bare-hono.ts"], folder: folderOf("servers"), env });
}

const ours = {
  name: "Countersign",
  checks: "EdDSA signature (once a token), expiry, issuer, audience, algorithm; session and account revoked, each time",
  hash: "argon2id, 19 MiB, t=2 (OWASP)",
};

/** A route that compares passwords, and does nothing else. */
export function startBareArgon2(core: Core): Promise<Contestant> {
  return startContestant({ command: process.execPath, args: ["bare-argon2.ts"], folder: folderOf("servers"), core });
}

/** What a start takes of which nobody has a say. */
export function startBareNode(): Promise<Contestant> {
  return startContestant({
    command: process.execPath,
    args: ["bare-node.ts"],
    folder: folderOf("servers"),
    core: "both",
  });
}

const npmPeers: readonly (Omit<System, "start"> & { readonly folder: string })[] = [
  {
    name: "better-auth",
    folder: "better-auth",
    checks: "HMAC of the cookie cache, expiry; revocation seen after up to 5 minutes",
    hash: "scrypt, N=16384, r=16",
  },
  { name: "tRPC + jose", folder: "trpc-jose", checks: "HS256 signature, expiry, issuer, audience; no revocation" },
  {
    name: "Express + passport-jwt",
    folder: "express-passport",
    checks: "HS256 signature, expiry, issuer, audience; no revocation",
  },
  {
    name: "Fastify + @fastify/jwt",
    folder: "fastify-jwt",
    checks: "HS256 signature, expiry, issuer, audience (once a token: cached); no revocation",
  },
  { name: "Auth.js", folder: "authjs", checks: "A256CBC-HS512 of the cookie, expiry, and a new cookie; no revocation" },
  { name: "oidc-provider", folder: "oidc-provider", checks: "opaque token, its grant and its client, in memory" },
];

const peers: readonly (System & { readonly folder: string })[] = npmPeers.map((peer) => ({
  ...peer,
  start: (bench) =>
    startContestant({
      command: process.execPath,
      args: ["server.mjs"],
      folder: folderOf(`peers/${peer.folder}`),
      // A new one each time: it signs the same person up.
      env: { DATABASE_FILE: bench.file(`${peer.folder}-${crypto.randomUUID()}.db`) },
    }),
}));

const fastApi: System = {
  name: "FastAPI",
  checks: "HS256 signature, expiry; the user from a dictionary; no revocation",
  hash: "bcrypt, cost 12",
  start: () => startContestant({ command: python, args: ["main.py"], folder: folderOf("peers/fastapi") }),
};

/** All that are compared, started: ours first. */
export interface Field extends AsyncDisposable {
  readonly mine: Contestant;
  readonly all: readonly (Omit<System, "start"> & { readonly contestant: Contestant })[];
}

export async function startField(bench: Bench, peers: readonly System[]): Promise<Field> {
  const stack = new AsyncDisposableStack();
  const mine = stack.use(await startOurs(bench));
  const started = peers.map(async (peer) => ({ ...peer, contestant: stack.use(await peer.start(bench)) }));
  const all = [{ ...ours, contestant: mine }, ...(await Promise.all(started))];
  return { mine, all, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Debian's own, which has Debian's packages. */
const python = "/usr/bin/python3";

/** pnpm keeps beside what it installed the lockfile that it did so by. */
function isInstalled(folder: string): boolean {
  const installed = `${folder}/node_modules/.pnpm/lock.yaml`;
  const read = (path: string) => readFileSync(path, "utf8");
  return existsSync(installed) && read(installed) === read(`${folder}/pnpm-lock.yaml`);
}

/** Installs the peers, each by its own lockfile. Returns those that can run here, and why others cannot. */
export function preparePeers(): { readonly systems: readonly System[]; readonly skipped: readonly string[] } {
  for (const { name, folder } of peers) {
    if (isInstalled(folderOf(`peers/${folder}`))) continue;
    const args = ["--yes", "pnpm@12", "install", "--ignore-workspace", "--frozen-lockfile"];
    const { status, stdout, stderr } = spawnSync("npx", args, { cwd: folderOf(`peers/${folder}`), encoding: "utf8" });
    if (status !== 0) throw new Error(`${name} cannot be installed:\n${stdout}${stderr}`);
  }
  const hasFastApi = spawnSync(python, ["-c", "import fastapi, jose, passlib, uvicorn, multipart"]).status === 0;
  if (hasFastApi) return { systems: [...peers, fastApi], skipped: [] };
  const packages = "python3-fastapi uvicorn python3-jose python3-passlib python3-bcrypt python3-multipart";
  const quicker = "python3-uvloop python3-httptools";
  return { systems: peers, skipped: [`FastAPI: not installed (Debian: apt-get install ${packages} ${quicker})`] };
}
