/** Whether an answer tells that an account exists: by its words, its headers, its limits, or the time that it took. */
import { beforeAll, describe, expect, it } from "vitest";
import { isLong } from "../support/long-tests.ts";
import { signUp } from "../support/people.ts";
import { password, type TestApp, testApp } from "../support/test-app.ts";

const kinds = ["existing", "unknown", "disabled", "passwordless"] as const;
type Kind = (typeof kinds)[number];

/** Found nowhere else in an answer. */
const nameOf = (kind: Kind) => `grace-${kind}`;

const unlimited = { loginsPerAccount: 1_000_000, loginsPerAddress: 1_000_000, loginsPerKnownDevice: 1_000_000 };

async function withAccounts(options: Parameters<typeof testApp>[0]): Promise<TestApp> {
  const app = await testApp(options);
  for (const kind of kinds) if (kind !== "unknown") await signUp(app, nameOf(kind));
  const { db, now } = await app.auth.start();
  await db.updateTable("accounts").set({ disabled_at: now() }).where("username", "=", nameOf("disabled")).execute();
  await db
    .updateTable("accounts")
    .set({ password_hash: null })
    .where("username", "=", nameOf("passwordless"))
    .execute();
  return app;
}

/** Asks as a stranger does, and returns all of the answer but what is never the same twice. */
async function guess(app: TestApp, kind: Kind, by: "call" | "token" | "form"): Promise<string> {
  const wrong = { username: nameOf(kind), password: "not the password" };
  const body = new URLSearchParams(wrong);
  const reply =
    by === "call"
      ? await app.call("auth.login", { json: wrong })
      : by === "token"
        ? await app.request("/token", { method: "POST", body })
        : await app.request("/sign-in", { method: "POST", body, headers: { origin: app.url } });
  const headers = [...reply.headers].filter(([name]) => !["date", "x-request-id", "content-length"].includes(name));
  // The page has what was typed in it.
  return JSON.stringify([reply.status, headers, (await reply.text()).replaceAll(nameOf(kind), "…")]);
}

describe.each(["call", "token", "form"] as const)("by %s", (by) => {
  it("every kind of account is answered alike", async () => {
    await using app = await withAccounts({ limits: unlimited });
    const answers = new Map<Kind, string>();
    for (const kind of kinds) answers.set(kind, await guess(app, kind, by));
    for (const kind of kinds) expect(answers.get(kind), kind).toBe(answers.get("existing"));
  });

  it("every kind of account can be tried as often", async () => {
    await using app = await withAccounts({ limits: { loginsPerAccount: 3 } });
    for (const kind of kinds) {
      const statuses: number[] = [];
      for (let time = 0; time < 5; time += 1) statuses.push(JSON.parse(await guess(app, kind, by))[0]);
      const [refused, limited] = by === "token" ? [400, 429] : [401, 429];
      expect(statuses, kind).toEqual([refused, refused, refused, limited, limited]);
    }
  });
});

/** How well a time tells the one from the other: 0.5 for not at all (Mann and Whitney's U, over all pairs). */
function areaUnderCurve(one: readonly number[], other: readonly number[]): number {
  const all = [...one.map((time) => ({ time, isOne: true })), ...other.map((time) => ({ time, isOne: false }))];
  all.sort((a, b) => a.time - b.time);
  let before = 0;
  let sum = 0;
  for (const { isOne } of all) {
    if (isOne) sum += before;
    else before += 1;
  }
  return sum / (one.length * other.length);
}

if (isLong)
  describe("over thousands of guesses", () => {
    let app: TestApp;
    beforeAll(async () => {
      app = await withAccounts({ limits: unlimited });
      return () => app[Symbol.asyncDispose]();
    });

    it("the time of an answer tells no kind of account from another", { timeout: 600_000 }, async () => {
      const times: Record<Kind, number[]> = { existing: [], unknown: [], disabled: [], passwordless: [] };
      for (let round = 0; round < 2_600; round += 1) {
        // In another order each time: what one leaves behind in the machine meets all others alike.
        const order = kinds.map((_, index) => kinds[(index + round * 3) % kinds.length] ?? "unknown");
        for (const kind of round % 2 === 0 ? order : order.toReversed()) {
          const begun = performance.now();
          await guess(app, kind, "call");
          if (round >= 600) times[kind].push(performance.now() - begun);
        }
      }
      for (const kind of kinds.slice(1)) {
        const area = areaUnderCurve(times.existing, times[kind]);
        console.log(`existing against ${kind}: ${area.toFixed(3)} of ${times[kind].length}`);
        expect(area, kind).toBeGreaterThan(0.45);
        expect(area, kind).toBeLessThan(0.55);
      }
    });
  });

it("the right password of a disabled account is told so, and nobody else learns it", async () => {
  await using app = await withAccounts({ limits: unlimited });
  const reply = await app.call("auth.login", { json: { username: nameOf("disabled"), password } });
  expect(reply.status).toBe(403);
});
