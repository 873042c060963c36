/** A process that signs in at a fixed rate, whoever answers, and says how it went: run by flood.test.ts. */
import { Pool } from "undici";

export interface FloodOptions {
  readonly url: string;
  readonly perSecond: number;
  readonly seconds: number;
}

/** How often each status came, and how long it took, in milliseconds: from when the request was due. */
export interface FloodResult {
  readonly [status: string]: {
    readonly count: number;
    readonly p50: number;
    readonly p99: number;
    readonly longest: number;
    readonly withRetryAfter: number;
  };
}

const { url, perSecond, seconds } = JSON.parse(process.argv[2] ?? "{}") as FloodOptions;
const pool = new Pool(url, { connections: 512, pipelining: 1 });
const taken = new Map<string, { times: number[]; withRetryAfter: number }>();

async function signIn(index: number, due: number): Promise<void> {
  // Each from somewhere else, and at another name: nobody's guesses are too many. One of twenty is who they say.
  const username = index % 20 === 0 ? `person-${(index / 20) % 10}` : `stranger-${index}`;
  const body = JSON.stringify({ json: { username, password: "correct horse battery staple" } });
  const from = `198.${18 + ((index >> 16) & 1)}.${(index >> 8) & 255}.${index & 255}`;
  const headers = { "content-type": "application/json", "x-forwarded-for": from };
  let status = "no answer";
  let hasRetryAfter = false;
  try {
    const reply = await pool.request({ path: "/trpc/auth.login", method: "POST", headers, body });
    await reply.body.dump();
    status = String(reply.statusCode);
    hasRetryAfter = reply.headers["retry-after"] !== undefined;
  } catch (error) {
    status = `no answer: ${error}`;
  }
  const entry = taken.get(status) ?? { times: [], withRetryAfter: 0 };
  taken.set(status, entry);
  entry.times.push(performance.now() - due);
  if (hasRetryAfter) entry.withRetryAfter += 1;
}

const total = perSecond * seconds;
const begun = performance.now();
const answers: Promise<void>[] = [];
for (let sent = 0; sent < total; ) {
  const due = Math.min(total, Math.floor(((performance.now() - begun) / 1_000) * perSecond));
  for (; sent < due; sent += 1) answers.push(signIn(sent, begun + (sent * 1_000) / perSecond));
  await new Promise((resolve) => setTimeout(resolve, 2));
}
await Promise.all(answers);
await pool.close();

const result: FloodResult = Object.fromEntries(
  [...taken].map(([status, { times, withRetryAfter }]) => {
    times.sort((a, b) => a - b);
    const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
    return [status, { count: times.length, p50: at(0.5), p99: at(0.99), longest: at(1), withRetryAfter }];
  }),
);
console.log(JSON.stringify(result));
