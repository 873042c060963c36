/** What a migration is: a number, a name, and statements. */
import { createHash } from "node:crypto";
import type { Compilable, Kysely, SchemaModule } from "kysely";
import { dialectOf } from "../dialect.ts";
import type { MigrationDialect } from "./dialect.ts";

export interface Migration {
  /** Its place in the order: 1, 2, 3, … */
  readonly id: number;
  /** In kebab-case, as in `initial`. */
  readonly name: string;
  /**
   * The newest migration that a program has to know, at least, to work on the tables after this one: 0 where this one only
   * adds, as the release before does not know it and still runs; the one that brought the replacement, where it takes
   * something away. Kept with the rows, so that a program of before learns it.
   */
  readonly requires: number;
  /**
   * What it does, in order: expand or contract, never both, for the release before must run against it. Depends on
   * nothing but its arguments. Never changes once it is released: write another migration instead.
   */
  readonly statements: (schema: SchemaModule, dialect: MigrationDialect) => readonly Compilable[];
}

/** Runs a migration's statements; `db` is the transaction that holds all of it. */
export async function up<Db>(db: Kysely<Db>, migration: Migration): Promise<void> {
  for (const statement of statementsOf(db, migration)) await db.executeQuery(statement);
}

/** SHA-256 of a migration's statements as the database gets them: no build, minifier or comment changes it. */
export function checksum<Db>(db: Kysely<Db>, migration: Migration): string {
  const statements = statementsOf(db, migration).map((statement) => statement.compile());
  const text = JSON.stringify(statements.map(({ sql, parameters }) => [sql, parameters]));
  return createHash("sha256").update(text).digest("hex");
}

function statementsOf<Db>(db: Kysely<Db>, migration: Migration): readonly Compilable[] {
  return migration.statements(db.schema, dialectOf(db).migrations);
}
