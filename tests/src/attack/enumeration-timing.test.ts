/**
 * Whether the time of an answer tells that an account exists. The server is a process of its own, asked over a socket, and a password
 * costs there what it costs by default.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { Client } from "undici";
import { beforeAll, describe, expect, it } from "vitest";
import { isLong } from "../support/long-tests.ts";
import { environmentOfNode, startNode } from "../support/node-process.ts";
import { kill, type Server, serverOf } from "../support/server-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { unlimited } from "../support/unlimited.ts";
import { signUp } from "../support/wire.ts";

const kinds = ["existing", "unknown", "disabled", "passwordless", "expired"] as const;
type Kind = (typeof kinds)[number];

const usernameOf = (kind: Kind) => `grace-${kinds.indexOf(kind)}`;

/** How well a time tells the one from the other: 0.5 for not at all (Mann and Whitney's U, over all pairs). */
function areaUnderCurve(one: readonly number[], other: readonly number[]): number {
  let sum = 0;
  for (const time of one) for (const another of other) sum += time > another ? 1 : time === another ? 0.5 : 0;
  return sum / (one.length * other.length);
}

describe("what judges the times", () => {
  /** Spread evenly over a millisecond, in no order. */
  const spread = (from: number) => Array.from({ length: 2_000 }, (_, index) => from + ((index * 7) % 2_000) / 2_000);

  it.each([
    [0, 0.5],
    [0.1, 0.595],
    [-0.1, 0.405],
    [1, 1],
  ])("among times that are spread over a millisecond notices %d ms more: %d", (more, area) => {
    expect(areaUnderCurve(spread(10 + more), spread(10))).toBeCloseTo(area, 3);
  });

  it("makes nothing of times that are all the same", () => {
    expect(areaUnderCurve(Array(10).fill(1), Array(20).fill(1))).toBe(0.5);
  });
});

interface Way {
  readonly path: string;
  readonly type: string;
  readonly body: (fields: Record<string, string>) => string;
  /** What a wrong password is answered with. */
  readonly refused: number;
  /** How often each kind of account is tried. */
  readonly times: number;
}

const json = { type: "application/json", body: (fields: object) => JSON.stringify({ json: fields }) };
const form = {
  type: "application/x-www-form-urlencoded",
  body: (fields: Record<string, string>) => String(new URLSearchParams(fields)),
};
const byCall: Way = { ...json, path: "/trpc/auth.login", refused: 401, times: 2_000 };
const ways: readonly Way[] = [
  byCall,
  // A thousand are the fewest of which chance alone makes 0.45 or 0.55 once in ten thousand times.
  { ...form, path: "/token", refused: 400, times: 1_000 },
  { ...form, path: "/sign-in", refused: 401, times: 1_000 },
];

const warmUp = 100;

/** Tries a wrong password at each kind in turn, over one connection, and returns how long each answer took, in milliseconds. */
async function measure(url: string, way: Way): Promise<Record<Kind, number[]>> {
  const client = new Client(url);
  const taken: Record<Kind, number[]> = { existing: [], unknown: [], disabled: [], passwordless: [], expired: [] };
  for (let round = 0; round < way.times + warmUp; round += 1) {
    // In another order each time: what one leaves behind in the machine meets all others alike.
    const order = kinds.map((_, index) => kinds[(index + round * 3) % kinds.length] ?? "unknown");
    for (const kind of round % 2 === 0 ? order : order.toReversed()) {
      const body = way.body({ username: usernameOf(kind), password: "not the password" });
      const headers = { "content-type": way.type, "sec-fetch-site": "same-origin" };
      const begun = performance.now();
      const reply = await client.request({ path: way.path, method: "POST", headers, body });
      await reply.body.dump();
      const time = performance.now() - begun;
      expect(reply.statusCode).toBe(way.refused);
      if (round >= warmUp) taken[kind].push(time);
    }
  }
  await client.close();
  return taken;
}

/** How well the time tells an account that can sign in from each other kind. */
function areasOf(taken: Record<Kind, number[]>): [kind: Kind, area: number][] {
  return kinds.slice(1).map((kind) => [kind, areaUnderCurve(taken.existing, taken[kind])]);
}

function print(path: string, taken: Record<Kind, number[]>): void {
  const median = (times: readonly number[]) => times.toSorted((a, b) => a - b)[times.length >> 1]?.toFixed(2);
  const medians = kinds.map((kind) => `${kind} ${median(taken[kind])} ms`);
  const areas = areasOf(taken).map(([kind, area]) => `${kind} ${area.toFixed(3)}`);
  console.log(`${path}, ${taken.existing.length} each: ${medians.join(", ")}; against existing: ${areas.join(", ")}`);
}

/** One connection tries all of them: there is no limit, or it would be told of the limit. `{}` is what it costs by default. */
const env = { TEST_NODE_OPTIONS: JSON.stringify({ passwordHashing: {}, limits: unlimited }) };

type Started = { readonly child: ChildProcessWithoutNullStreams; readonly server: Promise<Server> };

/** A server with an account of each kind. */
async function withAccounts(start: (databaseUrl: string) => Started) {
  const folder = await temporaryFolder();
  const file = folder.file("auth.db");
  const { child, server } = start(`file:${file}`);
  const { url } = await server;
  for (const kind of kinds) if (kind !== "unknown") await signUp(url, usernameOf(kind));
  const database = new DatabaseSync(file);
  const set = (kind: Kind, change: string) =>
    database.prepare(`update accounts set ${change} where username = ?`).run(usernameOf(kind));
  set("disabled", "disabled_at = 1");
  set("passwordless", "password_hash = null");
  set("expired", "temporary_hash = password_hash, password_expires_at = 1");
  // Whoever guesses does so from elsewhere than the owners sign in.
  database.exec("delete from attempts");
  database.close();
  return {
    url,
    async [Symbol.asyncDispose]() {
      await kill(child);
      await folder[Symbol.asyncDispose]();
    },
  };
}

function startWithoutStandIn(databaseUrl: string): Started {
  const program = fileURLToPath(new URL("./node-without-stand-in.ts", import.meta.url));
  const child = spawn(process.execPath, ["--conditions=@countersign/source", program], {
    env: { ...environmentOfNode(databaseUrl), ...env },
  });
  return { child, server: serverOf(child) };
}

if (isLong) {
  describe("over thousands of guesses", () => {
    let url: string;
    beforeAll(async () => {
      const server = await withAccounts((databaseUrl) => startNode(databaseUrl, { env }));
      url = server.url;
      return () => server[Symbol.asyncDispose]();
    });

    it.each(ways)(
      "the time of an answer of $path tells no kind of account from another",
      {
        timeout: 1_200_000,
      },
      async (way) => {
        const taken = await measure(url, way);
        print(way.path, taken);
        for (const [kind, area] of areasOf(taken)) {
          expect(area, kind).toBeGreaterThan(0.45);
          expect(area, kind).toBeLessThan(0.55);
        }
      },
    );
  });

  it("a server that compares nothing where there is no hash is found out", { timeout: 600_000 }, async () => {
    await using server = await withAccounts(startWithoutStandIn);
    const taken = await measure(server.url, { ...byCall, times: 100 });
    print("without a stand-in", taken);
    const areas = Object.fromEntries(areasOf(taken));
    expect(areas.unknown).toBeGreaterThan(0.6);
    expect(areas.passwordless).toBeGreaterThan(0.6);
    expect(areas.expired).toBeGreaterThan(0.6);
  });
}
