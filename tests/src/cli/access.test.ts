import { fileURLToPath } from "node:url";
import { accessMatrix } from "@countersign/server";
import { afterAll, expect, test } from "vitest";
import { testRouter } from "../support/test-router.ts";
import { workplace } from "../support/workplace.ts";
import { undeclaredRouter } from "./undeclared-router.ts";

const place = workplace();
afterAll(() => place[Symbol.asyncDispose]());

const fileOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const file = fileOf("../support/test-router.ts");
const application = `${file}#testRouter`;
const undeclared = fileOf("./undeclared-router.ts");

test("access lists our own procedures, in a table", async () => {
  const { code, stdout } = await place.run(["access"]);
  expect(code).toBe(0);
  const lines = stdout.split("\n");
  expect(lines[0]).toMatch(/^Procedure +Type +Demands$/);
  expect(lines).toContainEqual(expect.stringMatching(/^auth\.login +mutation +public$/));
  expect(lines).toContainEqual(expect.stringMatching(/^auth\.me +query +signed in$/));
  expect(lines).toContainEqual(expect.stringMatching(/^users\.list +query +role admin$/));
});

test("access imports an application's router; its JSON is what accessMatrix returns", async () => {
  const { code, stdout, stderr } = await place.run(["access", application, "--format", "json"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(JSON.parse(stdout)).toEqual(accessMatrix(testRouter));
});

test("access prints Markdown", async () => {
  const { stdout } = await place.run(["access", application, "--format", "markdown"]);
  const lines = stdout.split("\n");
  expect(lines.slice(0, 2)).toEqual(["| Procedure | Type | Demands |", "| --- | --- | --- |"]);
  expect(lines).toContain("| dangerous | mutation | signed in within 300 s |");
  expect(lines).toContain("| write | mutation | scope notes:write |");
  expect(lines).toContain("| tidy | mutation | role moderator |");
});

test("a procedure that declares nothing fails, and every one is named", async () => {
  const message = /^These procedures declare nothing about their callers: forgotten, nested\.forgotten\./;
  expect(() => accessMatrix(undeclaredRouter)).toThrow(message);
  const { code, stdout, stderr } = await place.run(["access", `${undeclared}#undeclaredRouter`]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(message);
});

test.for([
  { name: "missing", says: /exports nothing by the name of "missing"\.\n$/ },
  { name: "testOptions", says: /^"testOptions" of .* is no tRPC router\.\n$/ },
])("access refuses $name", async ({ name, says }) => {
  const { code, stderr } = await place.run(["access", `${file}#${name}`]);
  expect(code).toBe(2);
  expect(stderr).toMatch(says);
});
