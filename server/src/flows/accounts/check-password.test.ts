import { AuthError } from "@countersign/shared";
import { expect, it } from "vitest";
import { resolveOptions } from "../../options.ts";
import { sqlite } from "../../store/sqlite.ts";
import { checkPassword } from "./check-password.ts";

const { settings } = resolveOptions({
  database: sqlite(":memory:"),
  secret: Buffer.from("0123456789abcdef".repeat(2)).toString("base64url"),
  issuer: "http://localhost:3000",
});
const ruleBroken = (password: string, username = "alexandra") =>
  checkPassword(settings, password, { username, field: "password" }).then(
    () => null,
    (error: unknown) =>
      error instanceof AuthError && error.data.reason === "WEAK_PASSWORD" ? error.data.details.rule : error,
  );

it.each([
  ["123alexandra456", "is_username"],
  ["\u{1F511}Alexandra\u{1F511}", "is_username"],
  ["...countersign!", "is_product_name"],
  ["alexandra and more", null],
  ["98765432101234", null],
  ["password1", "too_common"],
  ["password12345", "too_common"],
  ["Password2024!", "too_common"],
  ["qwerty123456", "too_common"],
  ["1Q2W3E4R5T6Y", "too_common"],
  ["2024-p@ssw0rd-2024", "too_common"],
  ["correct horse battery staple", null],
  ["password-manager-made-7Kd9x", null],
  ["7Kd9x-Qm2!vTz", null],
])("%j breaks %s", async (password, rule) => {
  expect(await ruleBroken(password)).toBe(rule);
});

it("a digits-only username is compared as it is", async () => {
  expect(await ruleBroken("4711471147", "4711471147")).toBe("is_username");
});

it("takes time in proportion to the password: once one request held the processor for two seconds", async () => {
  const costly = (length: number) => `aa${"\u2057".repeat(length)}a`;
  const timed = async (password: string) => {
    const startedAt = performance.now();
    for (let count = 0; count < 5; count += 1) await ruleBroken(password);
    return performance.now() - startedAt;
  };
  await timed(costly(100));
  const [short, long] = [await timed(costly(125)), await timed(costly(1_000))];
  // Eight times the length: quadratic work would take 64 times as long. The constant forgives a busy machine.
  expect(long).toBeLessThan(short * 24 + 50);
});
