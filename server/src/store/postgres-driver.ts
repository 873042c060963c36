/** Kysely's PostgreSQL driver, with statements that are prepared once, errors translated, and conflicts tried again. */
import { createHash } from "node:crypto";
import { AuthError } from "@countersign/shared";
import type { PostgresPool, PostgresPoolClient } from "kysely";
import type pg from "pg";
import { retryConflicts } from "./conflict-retries.ts";
import { fromDriver, isAboutConnection, isConflict, isStalePlan } from "./postgres-errors.ts";

/** The driver's own timer has no "never": a day. */
const longestMs = 86_400_000;
/**
 * How long after its beginning a transaction still asks for something. Its end comes soon after: whoever follows the feed
 * waits for ids that may still be committed no longer than `feed.ts` says.
 */
const longestTransactionMs = 10_000;
/** Statements that a connection keeps prepared: more than the server has. */
const keptStatements = 200;
const pausesMs = [0, 10, 50, 200];

/** @param options.onStatement Called with each statement's SQL, just before it is sent. */
export function preparedPool(pool: pg.Pool, { onStatement }: { onStatement: (sql: string) => void }): PostgresPool {
  const nameOf = namesOfStatements();
  const wrapped = new WeakMap<pg.PoolClient, PostgresPoolClient>();

  function wrap(client: pg.PoolClient): PostgresPoolClient {
    let isBroken = false;
    /** When the transaction began; `null` outside of one. */
    let begunAt: number | null = null;
    let mayTakeLong = false;
    /** How often statements had to be prepared anew. */
    let era = 0;

    async function once(sql: string, parameters: readonly unknown[]): Promise<pg.QueryResult> {
      onStatement(sql);
      const name = parameters.length === 0 ? undefined : nameOf(sql);
      const query: pg.QueryConfig & { query_timeout?: number } = {
        text: sql,
        values: parameters.map(storable),
        ...(name !== undefined && { name: `${name}_${era}` }),
        ...(mayTakeLong && { query_timeout: longestMs }),
      };
      try {
        return await client.query(query);
      } catch (error) {
        isBroken ||= isAboutConnection(error);
        if (isStalePlan(error)) era += 1;
        throw fromDriver(error);
      }
    }

    /** Alone, a statement that the database undid can be sent again; within a transaction, all of it would have to be. */
    async function query(sql: string, parameters: readonly unknown[]): Promise<pg.QueryResult> {
      if (/^(begin|start transaction)/.test(sql)) begunAt = performance.now();
      else if (sql === "rollback") forget();
      else if (sql === "set local statement_timeout = 0") mayTakeLong = true;
      else if (begunAt === null) return retryConflicts(() => once(sql, parameters), { pausesMs, isConflict });
      // Its end too: behind a pooler, where the database cuts nothing, this is what keeps a late end from being one.
      else if (performance.now() - begunAt > longestTransactionMs && !mayTakeLong) throw tookTooLong();
      if (sql === "commit") forget();
      return once(sql, parameters);
    }

    function forget(): void {
      begunAt = null;
      mayTakeLong = false;
    }

    return {
      // The other overload takes a cursor, which Kysely asks for only to stream, and nothing here streams.
      query: query as unknown as PostgresPoolClient["query"],
      release() {
        forget();
        client.release(isBroken);
      },
    };
  }

  return {
    async connect() {
      const client = await pool.connect().catch((error: unknown) => {
        throw fromDriver(error);
      });
      const known = wrapped.get(client) ?? wrap(client);
      wrapped.set(client, known);
      return known;
    },
    end: () => pool.end(),
    options: pool.options,
  };
}

/** PostgreSQL refuses a NUL in a text. It becomes what an unpaired surrogate becomes, and no name of ours has that. */
function storable(value: unknown): unknown {
  return typeof value === "string" ? value.replaceAll("\0", "\uFFFD") : value;
}

function tookTooLong(): AuthError<"UNAVAILABLE"> {
  const cause = new Error("the transaction took too long");
  return new AuthError("UNAVAILABLE", { retryAfter: 1 }, undefined, { cause });
}

/** A name for each statement, the same on all nodes, as a pooler may share it between them; none once there are too many. */
function namesOfStatements(): (sql: string) => string | undefined {
  const names = new Map<string, string>();
  return (sql) => {
    const known = names.get(sql);
    if (known !== undefined || names.size === keptStatements) return known;
    const name = `countersign_${createHash("sha256").update(sql).digest("hex").slice(0, 24)}`;
    names.set(sql, name);
    return name;
  };
}
