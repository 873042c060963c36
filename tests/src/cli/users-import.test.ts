import { scryptSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { expect, it, test } from "vitest";
import { workplace } from "../support/workplace.ts";

const bcrypt = "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW";
const betterAuthSalt = "00112233445566778899aabbccddeeff";
const betterAuthKey = scryptSync("battery staple", betterAuthSalt, 64, { N: 16_384, r: 16, p: 1, maxmem: 2 ** 27 });

/** An account as its system writes it down, how to sign in with it, and what else the command needs. */
const systems: readonly (readonly [
  system: string,
  record: object,
  username: string,
  password: string,
  args?: string[],
])[] = [
  [
    "better-auth",
    {
      id: "x",
      email: "b@example.com",
      emailVerified: true,
      password: `${betterAuthSalt}:${betterAuthKey.toString("hex")}`,
    },
    "b@example.com",
    "battery staple",
  ],
  ["authjs", { id: "x", name: "A", email: "a@example.com", passwordHash: bcrypt }, "a@example.com", "secret"],
  [
    "supabase",
    { id: "x", email: "s@example.com", encrypted_password: bcrypt, created_at: "2024-01-01 10:00:00+00" },
    "s@example.com",
    "secret",
  ],
  [
    "firebase",
    {
      localId: "x",
      email: "f@example.com",
      passwordHash: "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
      salt: "42xEC+ixf3L2lw==",
      createdAt: "1704103200000",
    },
    "f@example.com",
    "user1password",
    [
      "--firebase-signer-key",
      "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==",
    ],
  ],
  [
    "keycloak",
    {
      username: "kay",
      email: "k@example.com",
      enabled: true,
      credentials: [
        {
          type: "password",
          // RFC 7914 §11.
          secretData: JSON.stringify({
            value: Buffer.from("55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc", "hex").toString(
              "base64",
            ),
            salt: Buffer.from("salt").toString("base64"),
          }),
          credentialData: JSON.stringify({ hashIterations: 1, algorithm: "pbkdf2-sha256", additionalParameters: {} }),
        },
      ],
    },
    "kay",
    "passwd",
  ],
  [
    "passlib",
    { username: "johndoe", full_name: "John Doe", email: "j@example.com", hashed_password: bcrypt, disabled: false },
    "johndoe",
    "secret",
  ],
  ["countersign", { username: "carla", passwordHash: bcrypt, roles: ["admin"] }, "carla", "secret"],
];

it("accounts of other systems sign in with the passwords they had, and have hashes of ours afterwards", async () => {
  await using place = workplace();
  for (const [system, record, , , args = []] of systems) {
    const input = `${JSON.stringify(record)}\n`;
    expect(await place.json(["users", "import", "-", "--from", system, ...args], { input })).toEqual({
      added: 1,
      there: 0,
      refused: 0,
    });
  }
  const server = await place.serve();
  for (const [system, , username, password] of systems) {
    const signIn = (secret: string) =>
      fetch(`${server.url}/token`, { method: "POST", body: new URLSearchParams({ username, password: secret }) });
    expect([
      system,
      (await signIn(`${password}!`)).status,
      (await signIn(password)).status,
      (await signIn(password)).status,
    ]).toEqual([system, 400, 200, 200]);
  }
  const hashes = place.query("select password_hash from accounts").map(({ password_hash }) => String(password_hash));
  expect(hashes).toHaveLength(systems.length);
  expect(hashes.filter((hash) => !hash.startsWith("$argon2id$v=19$m=19456,t=2,p=1$"))).toEqual([]);
});

test("a run can be done again, and what cannot be taken is told by its line, without what is in it", async () => {
  await using place = workplace();
  const lines = [
    ...Array.from({ length: 450 }, (_, index) => ({ email: `person${index}@example.com`, passwordHash: bcrypt })),
    "no JSON",
    { email: "plain@example.com", passwordHash: "hunter2" },
    { passwordHash: bcrypt },
    { username: "eve", roles: ["emperor"] },
  ];
  const file = place.at("users.jsonl");
  writeFileSync(file, lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"));
  const first = await place.run(["users", "import", file]);
  expect([first.code, first.stdout]).toEqual([1, "450 added, 0 there already, 4 refused.\n"]);
  expect(first.stderr.trim().split("\n")).toEqual([
    "Line 451: this is no JSON",
    'Line 452: passwordHash: "passwordHash" is of no form that is known',
    'Line 453: there is neither a "username" nor an "email"',
    'Line 454: "roles" must be of: "admin"',
  ]);
  const second = await place.run(["users", "import", file]);
  expect(second.stdout).toBe("0 added, 450 there already, 4 refused.\n");
  expect(place.query("select count(*) as count from accounts")).toEqual([{ count: 450 }]);
});
