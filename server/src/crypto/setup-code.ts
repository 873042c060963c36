/** The code that whoever started a server proves it with, to make its first account. */
import { timingSafeEqual } from "node:crypto";
import { deriveKey, type Secrets } from "./sealing.ts";

/** 80 bits: nobody guesses it over a network, and a person can type it. */
const length = 10;

/** The code of a master secret: the same on every node, and after a restart. In groups, as in `1f2e-3d4c-5b6a-7988-90a1`. */
export function setupCodeOf([secret]: Secrets): string {
  const digits = Buffer.from(deriveKey(secret, "set-up code", length)).toString("hex");
  return digits.match(/.{4}/g)?.join("-") ?? digits;
}

/** Compares in constant time. How a person writes it does not matter: with or without hyphens, in capitals. */
export function isSetupCode(presented: string, code: string): boolean {
  const [one, other] = [digitsOf(presented), digitsOf(code)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function digitsOf(text: string): Uint8Array {
  return Buffer.from(text.toLowerCase().replace(/[^0-9a-f]/g, ""));
}
