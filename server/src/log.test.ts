import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { AuthError } from "@countersign/shared";
import { expect, test } from "vitest";
import { describeError } from "./failure.ts";
import { StoreError } from "./store/database.ts";

/** What a process prints that logs this. */
function logged(fields: string, forPeople = false): string {
  const program = `
    import { createLog } from ${JSON.stringify(new URL("./log.ts", import.meta.url).href)};
    createLog({ level: "info", forPeople: ${forPeople} }).info(${fields}, "hello");
    process.exit();`;
  const flags = ["--conditions=@countersign/source", "--input-type=module", "-e", program];
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  return execFileSync(process.execPath, flags, { cwd, encoding: "utf8" });
}

test("names that hold secrets are blacked out, wherever they are", { timeout: 30_000 }, () => {
  const fields = `{
    password: "hunter2", requestId: "r1", at: new Date(0), none: null,
    headers: { authorization: "hunter2", "set-cookie": ["hunter2"], accept: "text/html" },
    list: [{ deep: { refreshToken: "hunter2", count: 1 } }],
  }`;
  expect(JSON.parse(logged(fields))).toEqual({
    level: "info",
    time: expect.stringMatching(/Z$/),
    password: "[redacted]",
    requestId: "r1",
    at: "1970-01-01T00:00:00.000Z",
    none: null,
    headers: { authorization: "[redacted]", "set-cookie": "[redacted]", accept: "text/html" },
    list: [{ deep: { refreshToken: "[redacted]", count: 1 } }],
    msg: "hello",
  });
  const line = logged(fields, true);
  expect(line).toMatch(/^\d\d:\d\d:\d\d info {2}hello password=\[redacted\] requestId=r1 /);
  expect(line).not.toContain("hunter2");
});

test("of an error that is not ours, the log has its class, code and places, and not its text", () => {
  const cause = Object.assign(new Error("connect to hunter2"), { code: "ECONNRESET" });
  const described = describeError(new SyntaxError("hunter2\n    at is not JSON", { cause }));
  expect(described).toEqual({
    type: "SyntaxError",
    stack: expect.arrayContaining([expect.stringMatching(/log\.test\.ts:\d+:\d+/)]),
    cause: { type: "Error", code: "ECONNRESET", stack: expect.any(Array) },
  });
  expect(JSON.stringify(described)).not.toContain("hunter2");
  expect(JSON.stringify(described)).not.toContain("is not JSON");
  expect(describeError("hunter2")).toEqual({ type: "string" });
  expect(describeError(Object.assign(new Error("x"), { code: "hunter2" }))).not.toHaveProperty("code");
});

test("our own errors are logged with their sentence", () => {
  expect(describeError(new AuthError("UNAVAILABLE", { retryAfter: 1 }))).toMatchObject({
    type: "AuthError",
    message: "The sign-in service cannot reach its database. Try again in a few seconds.",
  });
  const locked = new StoreError("LOCKED", "The database is locked.");
  expect(describeError(locked)).toMatchObject({ type: "StoreError", message: "The database is locked." });
});
