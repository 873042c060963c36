/** The command on an application that declares roles of its own: `--auth` says where. */
import { fileURLToPath } from "node:url";
import { createAuthClient } from "@countersign/client";
import { afterAll, beforeAll, expect, test } from "vitest";
// A type: the process runs the program.
import type { AppRouter } from "../../../examples/notes/src/router.ts";
import { expectReason } from "../support/expect-reason.ts";
import { notesExample } from "../support/notes-example.ts";
import { password, workplace } from "../support/workplace.ts";

const place = workplace();
afterAll(() => place[Symbol.asyncDispose]());

const application = fileURLToPath(new URL("../../../examples/notes/src/auth.ts", import.meta.url));
const auth = ["--auth", `${application}#auth`];

let notes: Awaited<ReturnType<typeof notesExample>>;
beforeAll(async () => {
  notes = await notesExample({ databaseUrl: `file:${place.at("data", "countersign.db")}` });
  return () => notes[Symbol.asyncDispose]();
});

async function signUp(username: string) {
  const client = createAuthClient<AppRouter>({ url: `${notes.url}/trpc` });
  await client.register({ username, password });
  return client;
}

test("set-roles gives an account a role of the application, and the running application knows", async () => {
  const [alice, mod] = [await signUp("alice"), await signUp("mod")];
  const { id } = await alice.trpc.notes.create.mutate({ text: "Spam" });
  await expectReason(mod.trpc.notes.moderate.mutate({ id }), "INSUFFICIENT_SCOPE");

  const account = await place.json(["users", "set-roles", "mod", "moderator", ...auth]);
  expect(account).toMatchObject({ username: "mod", roles: ["moderator"] });
  await expect
    .poll(
      () =>
        mod.trpc.notes.moderate.mutate({ id }).then(
          () => "done",
          () => "refused",
        ),
      { timeout: 10_000 },
    )
    .toBe("done");
});

test("create makes an account with a role of the application", async () => {
  const args = ["users", "create", "second", "--role", "moderator", "--password-stdin", ...auth];
  expect(await place.json(args, { input: password })).toMatchObject({ roles: ["moderator"] });
});

test.for([
  ["users", "create", "third", "--role", "moderator", "--password-stdin"],
  ["users", "set-roles", "second", "moderator"],
])("without --auth, %s %s says how to make the role known", async (args) => {
  const { code, stdout, stderr } = await place.run(args, { input: password });
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toBe(
    "This command knows only the role admin. To use the roles of your application, name its auth: --auth ./src/auth.ts#auth\n",
  );
});

test("with --auth, the roles of the application are listed for one that it has not", async () => {
  const { code, stderr } = await place.run(["users", "set-roles", "second", "emperor", ...auth]);
  expect({ code, stderr }).toEqual({ code: 1, stderr: '"roles" must be of: "admin", "moderator"\n' });
});

test("what else works on the database takes --auth too", async () => {
  expect(await place.json(["users", "list", ...auth])).toMatchObject([{}, {}, {}]);
  expect(await place.json(["sessions", "list", "alice", ...auth])).toMatchObject([{}]);
  expect(await place.json(["keys", "list", ...auth])).toMatchObject([{ status: "current" }]);
  expect(await place.json(["migrate", "status", ...auth])).toMatchObject([{ state: "applied" }, { state: "applied" }]);
  expect((await place.run(["keys", "decryption-key", ...auth])).stdout).toMatch(/^[\w-]{43}\n$/);
});

test.for([
  [`${application}#nothing`, /exports nothing by the name of "nothing"\.\n$/],
  [`${application.replace("auth.ts", "router.ts")}#appRouter`, /^"appRouter" of .* is no auth\.\n$/],
  ["./missing.ts#auth", /^There is no file at .*missing\.ts\. A path is seen from the folder/],
  ["./src/auth.ts", /^Name the auth by its file and its export, as in \.\/src\/auth\.ts#auth\n$/],
] as const)("--auth %s is refused", async ([reference, says]) => {
  const { code, stderr } = await place.run(["users", "list", "--auth", reference]);
  expect(code).toBe(2);
  expect(stderr).toMatch(says);
});
