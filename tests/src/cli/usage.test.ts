import { afterAll, expect, test } from "vitest";
import { workplace } from "../support/workplace.ts";

const place = workplace();
afterAll(() => place[Symbol.asyncDispose]());

const commands = [
  "",
  "serve",
  "migrate",
  "migrate status",
  "migrate up",
  "users",
  "users create",
  "users list",
  "users show",
  "users disable",
  "users enable",
  "users set-password",
  "users set-roles",
  "users remove",
  "sessions",
  "sessions list",
  "sessions revoke",
  "keys",
  "keys list",
  "keys rotate",
  "keys decryption-key",
  "secret",
  "access",
  "doctor",
];

test.for(commands)("countersign %s --help shows examples and exit codes", async (command) => {
  const { code, stdout, stderr } = await place.run([...command.split(" ").filter(Boolean), "--help"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^Usage: countersign/);
  expect(stdout).toMatch(/Examples:\n {2}.*countersign/);
  expect(stdout).toMatch(/Exit codes:\n {2}0 {2}done\n {2}1 {2}/);
});

test("--version prints the version alone", async () => {
  const { code, stdout } = await place.run(["--version"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\S*\n$/);
});

test.for([
  { args: ["userz"], says: /unknown command 'userz'\n\(Did you mean users\?\)/ },
  { args: ["users", "lst"], says: /unknown command 'lst'\n\(Did you mean list\?\)/ },
  { args: ["users", "list", "--jsn"], says: /unknown option '--jsn'\n\(Did you mean --json\?\)/ },
  { args: [], says: /^Usage: countersign/ },
  { args: ["users"], says: /^Usage: countersign users/ },
  { args: ["users", "create"], says: /missing required argument 'username'/ },
  { args: ["users", "create", "ada", "hunter2"], says: /too many arguments/ },
  { args: ["users", "list", "--limit", "0"], says: /--limit.*whole number above 0/ },
  { args: ["users", "list", "--limit", "many"], says: /--limit.*whole number above 0/ },
  { args: ["sessions", "revoke"], says: /^Name one session by its id, or an account with --account\.\n$/ },
  { args: ["sessions", "revoke", "x", "--account", "ada"], says: /^Name one session by its id/ },
  { args: ["access", "--format", "yaml"], says: /Allowed choices are table, json, markdown/ },
  { args: ["access", "./router.ts"], says: /^Name the tRPC router by its file and its export/ },
  {
    args: ["access", "./missing.ts#appRouter"],
    says: /^There is no file at .*missing\.ts\. A path is seen from the folder/,
  },
  {
    args: ["sessions", "revoke", "nonsense"],
    says: /^A session is named by its id, as in .*countersign sessions list <account>\n$/,
  },
])("wrong usage exits 2 and says what is wrong: $args", async ({ args, says }) => {
  const { code, stdout, stderr } = await place.run(args);
  expect(code).toBe(2);
  expect(stdout).toBe("");
  expect(stderr).toMatch(says);
  expect(stderr).not.toMatch(/^\s+at /m);
});

test("a mistake in the environment exits 2 and names every variable", async () => {
  const env = { COUNTERSIGN_ALG: "none", COUNTERSIGN_ACCESS_TTL: "soon" };
  const { code, stderr } = await place.run(["users", "list"], { env });
  expect(code).toBe(2);
  expect(stderr).toBe(
    "The environment has 2 mistakes:\n" +
      "  - COUNTERSIGN_ALG must be one of EdDSA, ES256, RS256, HS256\n" +
      "  - COUNTERSIGN_ACCESS_TTL must be a duration from 1s to 24h, as in 90s, 15m or 12h\n",
  );
});

test.for(["users list", "users show ada", "sessions list ada", "keys list", "keys rotate", "migrate status"])(
  "countersign %s does not make a database where there is none",
  async (command) => {
    const { code, stderr } = await place.run(command.split(" "));
    expect(code).toBe(2);
    expect(stderr).toBe(
      `There is no database at ${place.at("data", "countersign.db")}. Set DATABASE_URL to the server's, or make one: countersign migrate up\n`,
    );
  },
);

test("a database in memory is nobody else's", async () => {
  const { code, stderr } = await place.run(["users", "list"], { env: { DATABASE_URL: ":memory:" } });
  expect(code).toBe(2);
  expect(stderr).toMatch(/^DATABASE_URL names a database in memory/);
});

test("secret prints another secret each time, which the environment takes", async () => {
  const [first, second] = await Promise.all([place.run(["secret"]), place.run(["secret"])]);
  expect(first.stdout).toMatch(/^[\w-]{43}\n$/);
  expect(first.stdout).not.toBe(second.stdout);
});
