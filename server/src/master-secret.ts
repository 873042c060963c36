/** The master secret: what it looks like, and where a developer's machine keeps one that only its user may read. */
import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { minSecretLength } from "./crypto/sealing.ts";

/** A new master secret: 32 random bytes, base64url. */
export function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** What a master secret must be, for people. */
export const secretRule = "at least 32 random bytes, base64url (`countersign secret` makes one)";

/**
 * The bytes of a master secret, or `null`: base64url, 32 bytes at least, and not a few characters again and again, as 32
 * random bytes have about 30 different values.
 */
export function decodeSecret(text: string): Uint8Array | null {
  if (!/^[\w+/-]+={0,2}$/.test(text)) return null;
  const bytes = Buffer.from(text, "base64url");
  return bytes.length >= minSecretLength && new Set(bytes).size >= 16 ? new Uint8Array(bytes) : null;
}

/**
 * The secret in a file, which is made if it is missing. Any number of processes that do so at once get the same one.
 *
 * @throws {Error} when the file cannot be read or made, or holds no secret.
 */
export function keepDevelopmentSecret(file: string): string {
  const secret = readIfThere(file) ?? make(file);
  if (decodeSecret(secret) === null) throw new Error("the file does not hold a secret");
  return secret;
}

function make(file: string): string {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${newSecret().slice(0, 8)}`;
  writeFileSync(draft, `${newSecret()}\n`, { flag: "wx", mode: 0o600, flush: true });
  try {
    // A link appears whole or not at all, and never takes the place of a file that is there.
    linkSync(draft, file);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return readIfThere(file) ?? "";
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : null;
}
