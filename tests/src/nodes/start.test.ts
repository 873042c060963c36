import pg from "pg";
import { expect, it } from "vitest";
import { fleet } from "../support/fleet.ts";
import { createDatabase } from "../support/test-database.ts";
import { signUp, whoami } from "../support/wire.ts";

it("four nodes that start at once on an empty database migrate once, and sign with one key", {
  timeout: 60_000,
}, async () => {
  const databaseUrl = await createDatabase({ isEmpty: true });
  await using many = await fleet(4, { databaseUrl });
  const client = new pg.Client(databaseUrl);
  await client.connect();
  const migrations = await client.query("select id, name from countersign_migrations where id > 0 order by id");
  expect(migrations.rows).toEqual([
    { id: "1", name: "initial" },
    { id: "2", name: "account-life" },
  ]);
  expect((await client.query("select id from signing_keys")).rows).toHaveLength(1);
  await client.end();
  const tokens = await signUp(many.nodes[0]?.url ?? "", "alice");
  for (const { url } of many.nodes) expect(await whoami(url, tokens)).toMatchObject({ status: 200 });
});
