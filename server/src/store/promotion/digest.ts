import { createHash } from "node:crypto";
import type { Row } from "../transfer.ts";

/** What stands for rows, in whatever order, of whichever database: two sets of rows with one digest are the same. */
export interface Digest {
  readonly rows: number;
  /** The sum of the rows' SHA-256, in hexadecimal. */
  readonly sha256: string;
}

/** Counts rows and adds them up. */
export function createDigest(): { add(rows: readonly Row[]): void; readonly value: Digest } {
  let rows = 0;
  let sum = 0n;
  return {
    add(more) {
      rows += more.length;
      for (const row of more) sum = BigInt.asUintN(256, sum + BigInt(`0x${hashOf(row)}`));
    },
    get value() {
      return { rows, sha256: sum.toString(16).padStart(64, "0") };
    },
  };
}

export function digestOf(rows: readonly Row[]): Digest {
  const digest = createDigest();
  digest.add(rows);
  return digest.value;
}

export function isSame(one: Digest, other: Digest): boolean {
  return one.rows === other.rows && one.sha256 === other.sha256;
}

/** `jsonb` has its own order of keys, and its own spaces. */
const jsonColumns = new Set(["roles", "details"]);

function hashOf(row: Row): string {
  const fields = Object.keys(row)
    .sort()
    .map((name) => [name, inOneForm(name, row[name] ?? null)]);
  return createHash("sha256").update(JSON.stringify(fields)).digest("hex");
}

function inOneForm(name: string, value: Row[string]): unknown {
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString("base64") };
  return jsonColumns.has(name) && typeof value === "string" ? sorted(JSON.parse(value)) : value;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, field]) => [name, sorted(field)]);
}
