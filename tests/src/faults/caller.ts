/** A process that is signed in and calls a hundred times a second, until its input ends; it says how long each call took, in milliseconds: run by flood.test.ts. */
import { Pool } from "undici";

const { url, token } = JSON.parse(process.argv[2] ?? "{}") as { readonly url: string; readonly token: string };
const everyMs = 10;
const pool = new Pool(url, { connections: 20, pipelining: 1 });

async function ask(due: number): Promise<number> {
  const reply = await pool.request({
    path: "/users/me",
    method: "GET",
    headers: { authorization: `Bearer ${token}` },
  });
  await reply.body.dump();
  if (reply.statusCode !== 200) throw new Error(`answered with ${reply.statusCode}`);
  return performance.now() - due;
}

let isOver = false;
process.stdin.once("end", () => {
  isOver = true;
});
process.stdin.resume();
// The first calls find a process, a pool and a server that have not done this before.
for (let time = 0; time < 50; time += 1) await ask(performance.now());
const begun = performance.now();
const times: Promise<number>[] = [];
while (!isOver) {
  const due = begun + times.length * everyMs;
  const early = due - performance.now();
  if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
  times.push(ask(due));
}
console.log(JSON.stringify(await Promise.all(times)));
await pool.close();
