import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { createAuth } from "./create-auth.ts";
import { newSecret } from "./master-secret.ts";
import type { AuthOptions } from "./options.ts";
import { sqlite } from "./store/sqlite.ts";

const secret = newSecret();
const good: AuthOptions = { database: sqlite(":memory:"), secret, issuer: "https://auth.example.com" };

describe("createAuth refuses", () => {
  it.each<[string, Partial<AuthOptions>, RegExp]>([
    ["a secret that is too short", { secret: "c2hvcnQ" }, /"secret" must be at least 32 random bytes/],
    ["a secret that is no secret", { secret: "A".repeat(43) }, /"secret" must be at least 32 random bytes/],
    ["a secret with other characters", { secret: `${secret} ` }, /"secret" must be at least 32 random bytes/],
    ["an issuer with a slash at its end", { issuer: "https://auth.example.com/" }, /"issuer" must be an http or https/],
    ["an issuer of another scheme", { issuer: "ftp://auth.example.com" }, /"issuer" must be an http or https/],
    ["an issuer with a query", { issuer: "https://auth.example.com?a=b" }, /"issuer" must be an http or https/],
    ["more memory than there is", { passwordHashing: { memoryKiB: 2 ** 40 } }, /"passwordHashing.memoryKiB"/],
    ["passes without end", { passwordHashing: { iterations: 1e9 } }, /"passwordHashing.iterations"/],
    ["more lanes than argon2 has", { passwordHashing: { parallelism: 256 } }, /"passwordHashing.parallelism"/],
    ["lanes without memory", { passwordHashing: { memoryKiB: 8, parallelism: 2 } }, /8 times "parallelism" or more/],
  ])("%s", (_, wrong, message) => {
    expect(() => createAuth({ ...good, ...wrong })).toThrow(TypeError);
    expect(() => createAuth({ ...good, ...wrong })).toThrow(message);
  });

  it("a function that returns no secret, when it starts", async () => {
    await using auth = createAuth({ ...good, secret: () => "short" });
    await expect(auth.start()).rejects.toThrow(/"secret" must return at least 32 random bytes/);
  });

  it("several things at once, and never says a value", () => {
    const refused = () => createAuth({ ...good, secret: "hunter2", issuer: "hunter2" });
    expect(refused).toThrow(/"issuer".*"secret"/);
    expect(refused).not.toThrow(/hunter2/);
  });
});

it("what createAuth returns can be printed without its secret", async () => {
  await using auth = createAuth(good);
  await auth.start();
  expect(inspect(auth, { depth: 10 })).not.toContain(secret);
  expect(JSON.stringify(auth.options)).not.toContain(secret);
});
