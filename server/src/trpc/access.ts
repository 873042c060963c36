/** The access matrix: which procedure demands what of its caller. Read from the guards, so that it cannot be out of date. */
import type { AnyTRPCRouter } from "@trpc/server";
import { type Demands, readDemands } from "./guards.ts";

/** One procedure and what it demands. */
export interface AccessRow extends Demands {
  /** As in `notes.create`. */
  readonly path: string;
  readonly type: "query" | "mutation" | "subscription";
}

/**
 * Lists what each procedure of a router demands, in the order of their paths.
 *
 * @throws {TypeError} naming every procedure that declares nothing, not even `public`, and every router that is not
 *   loaded yet.
 *
 * @example
 * ```ts
 * expect(accessMatrix(appRouter)).toMatchSnapshot();
 * ```
 */
export function accessMatrix(router: AnyTRPCRouter): AccessRow[] {
  const unloaded = Object.keys(router._def.lazy);
  if (unloaded.length > 0) {
    throw new TypeError(
      `These routers are loaded at their first call, so what they demand cannot be read: ${unloaded.join(", ")}. ` +
        "Await loadLazyRouters(appRouter) first.",
    );
  }
  const undeclared: string[] = [];
  const rows: AccessRow[] = [];
  for (const [path, procedure] of proceduresOf(router)) {
    const demands = readDemands(procedure._def.middlewares);
    if (demands === null) undeclared.push(path);
    else rows.push({ path, type: procedure._def.type, ...demands });
  }
  if (undeclared.length > 0) {
    throw new TypeError(
      `These procedures declare nothing about their callers: ${undeclared.join(", ")}. ` +
        "Build them on protectedProcedure, or on publicProcedure if they are for everyone.",
    );
  }
  return rows;
}

/** Loads the routers that tRPC's `lazy` would load at their first call: before, their procedures are unknown. */
export async function loadLazyRouters(router: AnyTRPCRouter): Promise<void> {
  const pending = Object.values(router._def.lazy);
  if (pending.length === 0) return;
  await Promise.all(pending.map(({ load }) => load()));
  // What was loaded may bring others of its kind.
  await loadLazyRouters(router);
}

/** A procedure as tRPC builds it. Its type says less than what is there. */
export interface BuiltProcedure {
  readonly _def: {
    readonly type: "query" | "mutation" | "subscription";
    readonly middlewares: readonly object[];
    readonly inputs: readonly unknown[];
    readonly output?: unknown;
  };
}

/** The procedures of a router by their paths, sorted. */
export function proceduresOf(router: AnyTRPCRouter): [path: string, procedure: BuiltProcedure][] {
  const procedures = Object.entries(router._def.procedures as Record<string, BuiltProcedure>);
  return procedures.sort(([a], [b]) => (a < b ? -1 : 1));
}
