import { describe, expect, it } from "vitest";
import type { Caller, Deps } from "../../deps.ts";
import { createTestAuth } from "../../testing.ts";
import { keepHouse } from "../housekeeping.ts";
import { rotateKey } from "./rotate-key.ts";

const caller: Caller = { address: "203.0.113.7", userAgent: "test", requestId: "request-1" };
const actorId = "01900000-0000-7000-8000-000000000000" as NonNullable<Parameters<typeof rotateKey>[2]["actorId"]>;

async function audited(deps: Deps) {
  const rows = await deps.db.selectFrom("audit_events").selectAll().where("kind", "=", "key_rotated").execute();
  return rows.map(({ actor_id, address, details }) => ({ actor_id, address, details: JSON.parse(details) }));
}

describe("rotateKey", () => {
  it("writes who rotated, which key, and why", async () => {
    await using test = await createTestAuth();
    const deps = await test.auth.start();
    const { kid } = await rotateKey(deps, { compromised: true }, { actorId, caller });
    expect(await audited(deps)).toEqual([
      { actor_id: actorId, address: "203.0.113.7", details: { kid, compromised: true } },
    ]);
  });

  it("writes nothing when the next key waits already", async () => {
    await using test = await createTestAuth();
    const deps = await test.auth.start();
    const first = await rotateKey(deps, {}, { actorId: null, caller });
    expect(await rotateKey(deps, {}, { actorId: null, caller })).toEqual(first);
    expect(await audited(deps)).toHaveLength(1);
  });
});

describe("housekeeping", () => {
  it("makes the next key when the one that signs is of age, and writes that nobody did it", async () => {
    await using test = await createTestAuth({ keyLifetimeSeconds: 3_600 });
    const deps = await test.auth.start();
    await keepHouse(deps);
    expect(deps.keys.list()).toHaveLength(1);
    await test.clock.advance({ hours: 1 });
    await keepHouse(deps);
    await keepHouse(deps);
    expect(deps.keys.list().map(({ status }) => status)).toEqual(["current", "next"]);
    const [next] = deps.keys.list().slice(1);
    expect(await audited(deps)).toEqual([{ actor_id: null, address: null, details: { kid: next?.kid } }]);
  });

  it("deletes a former key when its last token has expired, and not before", async () => {
    await using test = await createTestAuth();
    const deps = await test.auth.start();
    await rotateKey(deps, { immediately: true }, { actorId: null, caller });
    await test.clock.advance({ minutes: 15 });
    await keepHouse(deps);
    expect(deps.keys.list().map(({ status }) => status)).toEqual(["former", "current"]);
    await test.clock.advance({ minutes: 2 });
    await keepHouse(deps);
    expect(deps.keys.list().map(({ status }) => status)).toEqual(["current"]);
  });
});
