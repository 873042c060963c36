import { scryptSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { comparerOf } from "./foreign-hash.ts";

function base64(text: string, encoding: BufferEncoding = "utf8"): string {
  return Buffer.from(text, encoding).toString("base64").replace(/=+$/, "");
}

const firebaseSalt = Buffer.concat([Buffer.from("42xEC+ixf3L2lw==", "base64"), Buffer.from("Bw==", "base64")]);

/** A password, and its hash as another system prints it. */
const vectors: readonly (readonly [system: string, password: string, stored: string])[] = [
  [
    "PBKDF2 with SHA-1, RFC 6070",
    "password",
    `$pbkdf2$4096$${base64("salt")}$${base64("4b007901b765489abead49d926f721d065a429c1", "hex")}`,
  ],
  [
    "PBKDF2 with SHA-256, RFC 7914 §11",
    "passwd",
    `$pbkdf2-sha256$1$${base64("salt")}$${base64("55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc", "hex")}`,
  ],
  // https://passlib.readthedocs.io/en/stable/lib/passlib.hash.scrypt.html
  [
    "passlib's scrypt",
    "password",
    "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
  ],
  // https://github.com/firebase/scrypt
  [
    "Firebase",
    "user1password",
    `$firebase-scrypt$ln=14,r=8$${base64(firebaseSalt.toString("base64"), "base64")}$jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ`,
  ],
  ["bcrypt, as in FastAPI's tutorial", "secret", "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW"],
  ["bcrypt of PHP", "rasmuslerdorf", "$2y$07$usesomesillystringfore2uDLvp1Ii2e./U9C8sBjqp8I90dH6hi"],
  // https://github.com/P-H-C/phc-winner-argon2, test.c
  ["argon2i", "password", "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA"],
];

/** As better-auth does it: the salt is the text of its hex. */
function betterAuth(password: string): string {
  const salt = "00112233445566778899aabbccddeeff";
  const key = scryptSync(password.normalize("NFKC"), salt, 64, { N: 16_384, r: 16, p: 1, maxmem: 2 ** 27 });
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64").replace(/=+$/, "");
  return `$scrypt$ln=14,r=16,p=1$${text(Buffer.from(salt))}$${text(key)}`;
}

describe("a hash of another system", () => {
  it.each([...vectors, ["better-auth", "correct horse", betterAuth("correct horse")] as const])(
    "%s",
    async (_, password, stored) => {
      const compare = comparerOf(stored);
      expect(await compare?.(password)).toBe(true);
      expect(await compare?.(`${password}!`)).toBe(false);
      expect(await compare?.("")).toBe(false);
    },
  );

  it.each([
    ["nothing", ""],
    ["plain text", "password"],
    ["a digest", "5f4dcc3b5aa765d61d8327deb882cf99"],
    ["half of a bcrypt hash", "$2b$12$EixZaYVK1fsbw1ZfbX3OXe"],
    ["bcrypt with a character that is none of its own", `$2b$12$${"-".repeat(53)}`],
    ["Argon2 and nothing else", "$argon2id$junk"],
    ["Argon2 with a salt that is not base64", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHR$c2FsdHNhbHQ"],
    ["Argon2 with a salt that is too short", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$c2FsdHNhbHQ"],
    ["Argon2 with a hash that is too short", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$AAA"],
    ["Argon2 of a version that there is not", "$argon2id$v=20$m=19456,t=2,p=1$c2FsdHNhbHQ$c2FsdHNhbHQ"],
    ["Argon2 without a pass", "$argon2id$v=19$m=19456,t=0,p=1$c2FsdHNhbHQ$c2FsdHNhbHQ"],
    ["Argon2 with less memory than its lanes need", "$argon2id$v=19$m=31,t=2,p=4$c2FsdHNhbHQ$c2FsdHNhbHQ"],
    ["a cost that nobody can pay: Argon2's memory", "$argon2id$v=19$m=1048577,t=2,p=1$c2FsdHNhbHQ$c2FsdHNhbHQ"],
    ["a cost that nobody can pay: Argon2's passes", "$argon2id$v=19$m=19456,t=101,p=1$c2FsdHNhbHQ$c2FsdHNhbHQ"],
    ["a cost that nobody can pay: Argon2's lanes", "$argon2id$v=19$m=19456,t=2,p=65$c2FsdHNhbHQ$c2FsdHNhbHQ"],
    ["Argon2 without a lane", "$argon2id$v=19$m=19456,t=2,p=0$c2FsdHNhbHQ$c2FsdHNhbHQ"],
    ["scrypt without a round", "$scrypt$ln=0,r=8,p=1$AAAA$AAAA"],
    ["scrypt without a block", "$scrypt$ln=14,r=0,p=1$AAAA$AAAA"],
    ["scrypt without a lane", "$scrypt$ln=14,r=8,p=0$AAAA$AAAA"],
    ["Firebase without a block", "$firebase-scrypt$ln=14,r=0$AAAA$AAAA$AAAA"],
    ["PBKDF2 without a round", "$pbkdf2-sha256$0$AAAA$AAAA"],
    ["a cost that nobody can pay: bcrypt", `$2b$17$${"a".repeat(53)}`],
    ["a hash that is longer than any: PBKDF2", `$pbkdf2-sha256$1000$AAAA$${"A".repeat(180)}`],
    ["a cost that nobody can pay: scrypt", "$scrypt$ln=31,r=8,p=1$AAAA$AAAA"],
    ["a cost that nobody can pay: PBKDF2", "$pbkdf2-sha256$99999999$AAAA$AAAA"],
  ])("is not known: %s", (_, stored) => {
    expect(comparerOf(stored)).toBeNull();
  });

  it.each([...vectors, ["better-auth", "", betterAuth("")] as const])(
    "%s, and something beside it",
    (_, __, stored) => {
      for (const text of [`x${stored}`, `${stored}!`, `${stored}\n`]) expect(comparerOf(text)).toBeNull();
    },
  );
});
