/**
 * Statements whose SQL is written once for a database. Kysely takes as long to write one as the driver takes to send it: worth
 * saving for what every refresh does, and for nothing that is done less often.
 */
import type { Compilable, CompiledQuery, QueryResult } from "kysely";
import type { Db } from "../deps.ts";

/** Stands for a value while a statement is written. */
export class Slot {
  readonly name: string;
  /** What the dialect makes of the value. */
  readonly convert: (value: unknown) => unknown;

  constructor(name: string, convert: (value: unknown) => unknown = (value) => value) {
    this.name = name;
    this.convert = convert;
  }
}

/**
 * A statement of values, written when values of these names are first given.
 *
 * @param write Puts the values where they belong, and looks at none of them but whether it is there.
 */
export function writtenOnce<Values extends object>(
  write: (db: Db, values: Values) => Compilable,
): (db: Db, values: Values) => Promise<QueryResult<unknown>> {
  const written = new WeakMap<object, Map<string, CompiledQuery>>();

  function statementFor(db: Db, names: readonly string[]): CompiledQuery {
    const { adapter } = db.getExecutor();
    const statements = written.get(adapter) ?? new Map<string, CompiledQuery>();
    written.set(adapter, statements);
    const key = names.join();
    const known = statements.get(key);
    if (known !== undefined) return known;
    const slots = Object.fromEntries(names.map((name) => [name, new Slot(name)]));
    // `write` cannot tell them from values, as it only passes them on.
    const statement = write(db, slots as Values).compile();
    statements.set(key, statement);
    return statement;
  }

  return (db, values) => {
    const given = new Map<string, unknown>(Object.entries(values));
    const statement = statementFor(db, [...given.keys()]);
    const parameters = statement.parameters.map((parameter) =>
      parameter instanceof Slot ? parameter.convert(given.get(parameter.name)) : parameter,
    );
    return db.executeQuery({ ...statement, parameters });
  };
}
