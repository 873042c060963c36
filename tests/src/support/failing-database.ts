/** A database that goes away and comes back when a test says so. */

import { AuthError } from "@countersign/shared";
import { testDatabase } from "./test-database.ts";

/** As the driver has it. */
const diskIsFull = () => Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" });

/** A database that works until `fails` matches: a statement then fails as the driver's do when the disk is gone. */
export function failingDatabase() {
  const state: { fails: RegExp | null; statements: string[] } = { fails: null, statements: [] };
  const database = testDatabase({
    onStatement(sql) {
      state.statements.push(sql);
      if (state.fails?.test(sql))
        throw Object.assign(new AuthError("UNAVAILABLE", { retryAfter: 1 }), { cause: diskIsFull() });
    },
  });
  return Object.assign(state, { database });
}
