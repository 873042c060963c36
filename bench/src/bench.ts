/** What every measurement is given, and what it gives. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Load, startLoad } from "./load.ts";

export interface Bench extends AsyncDisposable {
  readonly isQuick: boolean;
  /** How often each is measured. */
  readonly rounds: number;
  /** How long each time. */
  readonly seconds: number;
  /** How long requests arrive at a rate: the slowest of a hundred is to be one of many. */
  readonly arrivalSeconds: number;
  /** How long it is asked before it is measured: long enough for a compiler that has to share its core. */
  readonly warmUpSeconds: number;
  readonly load: Load;
  /** A path in a folder that goes away. */
  file(name: string): string;
}

export async function createBench({ isQuick }: { readonly isQuick: boolean }): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), "countersign-bench-"));
  const load = startLoad();
  return {
    isQuick,
    ...(isQuick
      ? { rounds: 1, seconds: 0.25, arrivalSeconds: 0.3, warmUpSeconds: 0.25 }
      : { rounds: 28, seconds: 0.5, arrivalSeconds: 3, warmUpSeconds: 6 }),
    load,
    file: (name) => join(folder, name),
    async [Symbol.asyncDispose]() {
      await load[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** One table of the report. */
export interface Table {
  readonly title: string;
  /** What is measured, how, and what to make of it: Markdown. */
  readonly text: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A limit of DESIGN.md §11, and what was measured. */
export interface Ratio {
  readonly work: string;
  readonly measured: number;
  readonly limit: number;
  /** Whether it must be at least the limit, or at most. */
  readonly isLeast: boolean;
}

export interface Outcome {
  readonly table: Table;
  /** What a picture shows of it: the longest bar is the best. */
  readonly bars?: readonly { readonly name: string; readonly value: number }[];
  readonly ratios: readonly Ratio[];
}

export function isHeld({ measured, limit, isLeast }: Ratio): boolean {
  return isLeast ? measured >= limit : measured <= limit;
}

/**
 * Each in turn, round after round, so that what else the machine does meets all alike. There and back: of what it does more and
 * more, none has more than the others.
 */
export async function inTurns<Name extends string, Sample>(
  rounds: number,
  work: Readonly<Record<Name, () => Promise<Sample>>>,
): Promise<Readonly<Record<Name, readonly Sample[]>>> {
  const names = Object.keys(work) as Name[];
  const samples: Partial<Record<Name, Sample[]>> = {};
  for (const name of names) samples[name] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) samples[name]?.push(await work[name]());
  }
  // Each name has been given its list.
  return samples as Record<Name, Sample[]>;
}
