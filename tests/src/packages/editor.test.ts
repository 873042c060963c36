/** What an editor shows of our declarations: names and not expansions, and the way to our sources. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Editor, openInEditor } from "./language-server.ts";
import { root } from "./pack.ts";

/** Where our packages are found by their names, and without the source condition: by their declarations. */
const folder = join(root, "tests/node_modules/.editor");

const application = `
import { createAuthClient, failureOf, fieldErrorsOf } from "@countersign/client";
import { type AuthContext, createAuth, errorFormatter, raises, transformer } from "@countersign/server";
import { sqlite } from "@countersign/server/sqlite";
import { initTRPC } from "@trpc/server";
import { z } from "zod";

export const serverAuth = createAuth({
  database: sqlite(":memory:"),
  secret: "an-example-secret-of-43-base64url-characters",
  issuer: "https://notes.example",
  scopes: { "notes:write": "Write your notes" },
});
const t = initTRPC.context<AuthContext>().create({ transformer, errorFormatter });
const Note = z.object({ id: z.int(), text: z.string() });

const appRouter = t.router({
  auth: serverAuth.router,
  users: serverAuth.usersRouter,
  notes: t.router({
    create: t.procedure
      .concat(serverAuth.requires({ scope: "notes:write" }))
      .concat(raises("NOT_FOUND"))
      .input(z.object({ text: z.string() }))
      .output(Note)
      .mutation(({ ctx, input }) => ({ id: ctx.principal.username.length, text: input.text })),
  }),
});
type Built = typeof appRouter;
interface AppRouter extends Built {}

export const auth = createAuthClient<AppRouter>({ url: "https://notes.example/trpc" });
export const note = await auth.trpc.notes.create.mutate({ text: "Buy milk" });
export const session = auth.session;
export const failure = failureOf<AppRouter, "notes.create">(null);
export const fields = fieldErrorsOf<AppRouter, "auth.register">(null);
export const page = await auth.trpc.users.list.query();
`;

let editor: Editor;

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  const compilerOptions = { target: "es2024", module: "nodenext", strict: true, noEmit: true, types: [] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["app.ts"] }));
  writeFileSync(join(folder, "app.ts"), application);
  editor = await openInEditor(folder, "app.ts", application);
});

afterAll(() => {
  editor[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

test.for([
  ["const |serverAuth", 'const serverAuth: Auth<"notes:write", "admin", object>'],
  ["ctx.|principal", '(property) principal: Principal<"notes:write", "admin", object>'],
  ["auth: serverAuth.|router", "AuthRouter"],
  ["const |auth =", "const auth: AuthClient<AppRouter>"],
  ["const |session", "const session: Session"],
  ["const |failure", 'Failure<"BAD_REQUEST" | "INSUFFICIENT_SCOPE" | "NOT_FOUND" | SignedInReason>'],
  ["const |fields", 'const fields: FieldErrors<"email" | "password" | "username">'],
] as const)("an editor shows %s by its name", async ([place, shown]) => {
  const text = await editor.hover(place);
  expect(text).toContain(shown);
  expect(text.length).toBeLessThan(300);
});

test("an editor shows a procedure of the application in a few lines", async () => {
  const text = await editor.hover("notes.create.|mutate");
  expect(text).toContain("text: string;");
  expect(text.length).toBeLessThan(300);
});

test.for([
  ["|createAuth({", "server/src/create-auth.ts"],
  ["serverAuth.|usersRouter", "server/src/create-auth.ts"],
  ["serverAuth.|requires", "server/src/create-auth.ts"],
  ["(|raises(", "server/src/trpc/raises.ts"],
  ["ctx.principal.|username", "shared/src/principal.ts"],
  ["|sqlite(", "server/src/store/sqlite.ts"],
  ["|createAuthClient<", "client/src/create-auth-client.ts"],
  ["= auth.|session", "client/src/create-auth-client.ts"],
  ["|failureOf<", "client/src/failure-of.ts"],
  ["|errorFormatter", "server/src/trpc/errors.ts"],
  ["users.|list", "server/src/trpc/routers/users.ts"],
] as const)("go-to-definition leads from %s into our source", async ([place, file]) => {
  expect(await editor.definition(place)).toEqual([`file://${join(root, file)}`]);
});
