/**
 * Password hashes that other systems made, in the forms in which we keep them: PHC strings, and those of passlib. Each is
 * compared at the sign-in of its owner, and then replaced by one of ours.
 *
 * - `$2a$`, `$2b$`, `$2y$`: bcrypt
 * - `$argon2id$`, `$argon2i$`, `$argon2d$`
 * - `$pbkdf2-sha256$29000$salt$hash`, also sha1 and sha512: passlib, Keycloak
 * - `$scrypt$ln=14,r=16,p=1$salt$hash`: passlib, better-auth
 * - `$firebase-scrypt$ln=14,r=8$salt$signerKey$hash`
 */
import { createCipheriv, pbkdf2, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

type Compare = (password: string) => Promise<boolean>;

const deriveByPbkdf2 = promisify(pbkdf2);
const deriveByScrypt = promisify<string, Uint8Array, number, object, Buffer>(scrypt);

/** The most that one comparison may cost: whoever can import hashes must not be able to stop the server by it. */
const most = {
  bcryptLogRounds: 16,
  argon2: { kibibytes: 2 ** 20, passes: 100, lanes: 64 },
  pbkdf2Iterations: 10_000_000,
  scryptBytes: 256 * 2 ** 20,
  hashBytes: 128,
};

/** What compares a password with a hash of this form; `null` for a form that is not known. */
export function comparerOf(stored: string): Compare | null {
  return (
    byBcrypt(stored) ?? byArgon2(stored) ?? byDerivation(pbkdf2Of(stored) ?? scryptOf(stored) ?? firebaseOf(stored))
  );
}

function byBcrypt(stored: string): Compare | null {
  const [, logRounds] = /^\$2[aby]\$(\d\d)\$[./\w]{53}$/.exec(stored) ?? [];
  if (logRounds === undefined || Number(logRounds) > most.bcryptLogRounds) return null;
  return async (password) => {
    const { verify } = await import("@node-rs/bcrypt");
    return verify(password, stored);
  };
}

/** What RFC 9106 §3.1 does not allow is not taken: the library would fail at it, at each sign-in. */
function byArgon2(stored: string): Compare | null {
  const form = /^\$argon2(?:id|i|d)\$(?:v=(?:16|19)\$)?m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,9})\$([\w/+]+)\$([\w/+]+)$/;
  const [, m, t, p, salt = "", hash = ""] = form.exec(stored) ?? [];
  const [kibibytes, passes, lanes] = [Number(m), Number(t), Number(p)];
  const isPayable = kibibytes <= most.argon2.kibibytes && passes <= most.argon2.passes && lanes <= most.argon2.lanes;
  const isPossible = passes >= 1 && lanes >= 1 && kibibytes >= 8 * lanes;
  if (!isPayable || !isPossible || lengthOf(salt) < 8 || lengthOf(hash) < 4) return null;
  return async (password) => {
    const { verify } = await import("@node-rs/argon2");
    return verify(stored, password);
  };
}

interface Derivation {
  readonly hash: Uint8Array;
  derive(password: string): Promise<Uint8Array>;
}

function byDerivation(derivation: Derivation | null): Compare | null {
  if (derivation === null || derivation.hash.length > most.hashBytes) return null;
  const { hash, derive } = derivation;
  return async (password) => {
    const derived = await derive(password);
    return derived.length === hash.length && timingSafeEqual(derived, hash);
  };
}

function pbkdf2Of(stored: string): Derivation | null {
  const [, digest = "sha1", rounds, salt, hash] =
    /^\$pbkdf2(?:-(sha1|sha256|sha512))?\$(\d{1,8})\$([\w./+]+)\$([\w./+]+)$/.exec(stored) ?? [];
  if (rounds === undefined || salt === undefined || hash === undefined) return null;
  const iterations = Number(rounds);
  const expected = bytesOf(hash);
  if (iterations < 1 || iterations > most.pbkdf2Iterations) return null;
  return {
    hash: expected,
    derive: (password) => deriveByPbkdf2(password, bytesOf(salt), iterations, expected.length, digest),
  };
}

function scryptOf(stored: string): Derivation | null {
  const [, logN, r, p, salt, hash] =
    /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,2})\$([\w/+]*)\$([\w/+]+)$/.exec(stored) ?? [];
  if (salt === undefined || hash === undefined) return null;
  const cost = scryptCost(Number(logN), Number(r), Number(p));
  const expected = bytesOf(hash);
  if (cost === null) return null;
  return { hash: expected, derive: (password) => deriveByScrypt(password, bytesOf(salt), expected.length, cost) };
}

/** https://github.com/firebase/scrypt: what is kept is the project's signer key, encrypted with a key from the password. */
function firebaseOf(stored: string): Derivation | null {
  const [, logN, r, salt, signerKey, hash] =
    /^\$firebase-scrypt\$ln=(\d{1,2}),r=(\d{1,3})\$([\w/+]+)\$([\w/+]+)\$([\w/+]+)$/.exec(stored) ?? [];
  if (salt === undefined || signerKey === undefined || hash === undefined) return null;
  const cost = scryptCost(Number(logN), Number(r), 1);
  if (cost === null) return null;
  return {
    hash: bytesOf(hash),
    async derive(password) {
      const key = await deriveByScrypt(password, bytesOf(salt), 32, cost);
      return createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(bytesOf(signerKey));
    },
  };
}

function scryptCost(logN: number, r: number, p: number): { N: number; r: number; p: number; maxmem: number } | null {
  const N = 2 ** logN;
  const bytes = 128 * N * r + 128 * r * p;
  if (logN < 1 || r < 1 || p < 1 || bytes > most.scryptBytes) return null;
  return { N, r, p, maxmem: bytes + 2 ** 20 };
}

/** Base64 of either alphabet that passlib uses: its own has a dot for the plus. */
function bytesOf(text: string): Uint8Array {
  return Buffer.from(text.replaceAll(".", "+"), "base64");
}

/** How many bytes are in base64 without padding; 0 for text that is not how they are written. */
function lengthOf(text: string): number {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64").replace(/=+$/, "") === text ? bytes.length : 0;
}
