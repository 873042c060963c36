import { expect, it } from "vitest";
import type { Db } from "../deps.ts";
import { migrate } from "./migrate.ts";
import { postgres } from "./postgres.ts";
import { emptyDatabase, emptyPostgres } from "./test-support.ts";
import { writtenOnce } from "./written-once.ts";

interface Values {
  readonly count: number;
  readonly now: number;
  readonly key?: string | null;
}

it.each([
  ["SQLite", emptyDatabase],
  ["PostgreSQL", async () => postgres(await emptyPostgres()).open()],
])(
  "a statement is written once for the values that it has, and takes each time what it is given: %s",
  async (_, open) => {
    const db = await open();
    try {
      await migrate(db, { now: () => 0 });
      const rows = [1, 2, 3].map((count) => ({ key: `key-${count}`, count, expires_at: count * 1_000 }));
      await db.insertInto("attempts").values(rows).execute();
      const written: string[] = [];
      const find = writtenOnce((on: Db, { count, now, key }: Values) => {
        written.push(key === undefined ? "without a key" : "with a key");
        const query = on.selectFrom("attempts").selectAll().where("count", "=", count).where("expires_at", ">", now);
        return key === undefined ? query : query.where("key", "=", key);
      });
      const found = async (values: Values) => (await find(db, values)).rows;

      expect(await found({ count: 1, now: 999 })).toEqual([rows[0]]);
      expect(await found({ count: 2, now: 1_999 })).toEqual([rows[1]]);
      // A time is still one, in the words of the database.
      expect(await found({ count: 2, now: 2_000 })).toEqual([]);
      expect(await found({ count: 3, now: 0, key: "key-3" })).toEqual([rows[2]]);
      expect(await found({ count: 3, now: 0, key: "key-2" })).toEqual([]);
      expect(await found({ count: 3, now: 0, key: null })).toEqual([]);
      await db.transaction().execute(async (trx) => {
        expect((await find(trx, { count: 1, now: 0 })).rows).toEqual([rows[0]]);
      });
      expect(written).toEqual(["without a key", "with a key"]);
    } finally {
      await db.destroy();
    }
  },
);
