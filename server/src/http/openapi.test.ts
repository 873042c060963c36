import { Validator } from "@seriousme/openapi-schema-validator";
import { initTRPC, lazy } from "@trpc/server";
import { Ajv2020 } from "ajv/dist/2020.js";
import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { createTestAuth, type TestAuth } from "../testing.ts";
import type { AuthContext } from "../trpc/context.ts";
import { type App, createApp } from "./app.ts";

// biome-ignore lint/suspicious/noExplicitAny: the document is read by paths that each test spells out.
type Document = any;

const scopes = { "notes:read": "Read your notes", "notes:write": "Write your notes" };
const roles = { moderator: {} };
const options = { issuer: "https://notes.example", scopes, roles };
const password = "correct horse battery staple";

const Note = z.object({ id: z.int(), text: z.string(), createdAt: z.date() }).meta({ id: "Note" });
const Filter = z.object({ search: z.string().optional(), since: z.date().optional() });

/** What Standard Schema asks of a validator, and nothing of zod. */
const foreignValidator = {
  "~standard": { version: 1, vendor: "elsewhere", validate: (value: unknown) => ({ value: value as string }) },
} as const;

/** A default that only a request can tell: zod cannot describe it. */
function unknownYet(): string {
  throw new Error("There is no request.");
}

function notesRouter({ auth }: TestAuth) {
  const { t } = auth;
  const reader = auth.requires({ scope: "notes:read" });
  return t.router({
    auth: auth.router,
    users: auth.usersRouter,
    notes: t.router({
      list: reader
        .input(Filter.optional())
        .output(z.array(Note))
        .query(() => [{ id: 1, text: "Buy milk", createdAt: new Date(0) }]),
      create: auth
        .requires({ scope: "notes:write" })
        .input(z.strictObject({ text: z.string().max(100) }))
        .output(Note)
        .mutation(({ input }) => ({ id: 2, text: input.text, createdAt: new Date(0) })),
      import: auth
        .requires({ scope: ["notes:read", "notes:write"], role: "moderator", maxAge: 300 })
        .input(z.object({ notes: z.array(Note) }))
        .mutation(() => 0),
      changes: reader.subscription(async function* () {
        yield 1;
      }),
    }),
    motto: auth.publicProcedure.query(() => "Write it down."),
    undeclared: t.procedure.input(foreignValidator).query(() => null),
    twice: auth.publicProcedure
      .input(z.object({ left: z.string() }))
      .input(z.object({ right: z.string() }))
      .query(() => null),
    hopeless: auth.publicProcedure.input(z.object({ at: z.string().default(unknownYet) })).mutation(() => null),
    later: lazy(async () => t.router({ deep: auth.publicProcedure.query(() => "late") })),
  });
}

let subject: TestAuth;
let app: App;
let document: Document;

beforeAll(async () => {
  subject = await createTestAuth(options);
  app = createApp(subject.auth, { router: notesRouter(subject) });
  document = await (await app.request("/openapi.json")).json();
  return () => subject[Symbol.asyncDispose]();
});

/** Where a query's schema, a mutation's schema and a result's schema are. */
const inputOf = (operation: Document) =>
  (operation.parameters?.[0] ?? operation.requestBody).content["application/json"].schema;
const outputOf = (operation: Document) =>
  operation.responses[200].content["application/json"].schema.properties.result.properties.data;

test("the document is valid OpenAPI 3.1", async () => {
  expect(await new Validator().validate(document)).toEqual({ valid: true });
  expect(document.openapi).toMatch(/^3\.1\./);
});

test("the document describes every plain route that is served, and no other", () => {
  const served = app.routes.filter(({ method }) => method !== "ALL").map(({ method, path }) => `${method} ${path}`);
  const described = Object.entries<object>(document.paths)
    .filter(([path]) => !path.startsWith("/trpc/"))
    .flatMap(([path, item]) => Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`));
  const itself = ["GET /openapi.json", "GET /docs", "GET /docs/:version/:file"];
  // For people, and their browsers.
  const pages = ["sign-in", "sign-up", "setup", "reauth"].flatMap((name) => [`GET /${name}`, `POST /${name}`]);
  const console = ["account", "account/*", "admin", "admin/*", "developer"].map((path) => `GET /${path}`);
  const files = ["GET /pages/theme.css", "GET /pages/*"];
  const others = [...console, ...files, "POST /preferences", "GET /.well-known/change-password"];
  expect([...described, ...itself, ...pages, ...others].sort()).toEqual([...new Set(served)].sort());
});

test("the document describes every procedure, also of a router that is loaded lazily", () => {
  const paths = Object.keys(document.paths).filter((path) => path.startsWith("/trpc/"));
  expect(paths).toEqual(expect.arrayContaining(["/trpc/auth.login", "/trpc/notes.create", "/trpc/later.deep"]));
  expect(paths).toEqual([...paths].sort());
});

test("the same router gives the same document", async () => {
  await using other = await createTestAuth(options);
  const again = await createApp(other.auth, { router: notesRouter(other) }).request("/openapi.json");
  expect(await again.text()).toBe(await (await app.request("/openapi.json")).text());
});

test("a caller who has the document gets 304", async () => {
  const etag = (await app.request("/openapi.json")).headers.get("etag") ?? "";
  expect((await app.request("/openapi.json", { headers: { "if-none-match": etag } })).status).toBe(304);
});

describe("a procedure", () => {
  test("that is a query takes its input as JSON in the query", () => {
    const { get } = document.paths["/trpc/notes.list"];
    expect(get.parameters).toMatchObject([{ name: "input", in: "query", required: false }]);
    expect(inputOf(get).properties.json.properties.search).toEqual({ type: "string" });
    expect(get.tags).toEqual(["notes"]);
  });

  test("that is a mutation takes its input as a body, in superjson's envelope", () => {
    const { post } = document.paths["/trpc/notes.create"];
    expect(post.requestBody.required).toBe(true);
    expect(inputOf(post)).toEqual({
      type: "object",
      properties: {
        json: {
          type: "object",
          properties: { text: { type: "string", maxLength: 100 } },
          required: ["text"],
          additionalProperties: false,
        },
      },
      required: ["json"],
    });
  });

  test("that is a subscription answers with an event stream", () => {
    const { get } = document.paths["/trpc/notes.changes"];
    expect(Object.keys(get.responses[200].content)).toEqual(["text/event-stream"]);
    expect(get.security).toEqual([{ password: ["notes:read"] }, { bearer: [] }]);
  });

  test("that is a subscription tells its refusals in the stream, as it is served", async () => {
    const { responses } = document.paths["/trpc/notes.changes"].get;
    expect(Object.keys(responses)).toEqual(["200", "default"]);
    for (const reason of ["TOKEN_MISSING", "TOKEN_EXPIRED", "SESSION_REVOKED", "INSUFFICIENT_SCOPE", "UNAVAILABLE"]) {
      expect(responses[200].description).toContain(`\`${reason}\``);
    }
    const reply = await app.request("/trpc/notes.changes", { headers: { accept: "text/event-stream" } });
    expect([reply.status, reply.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
    expect(await reply.text()).toMatch(/^event: serialized-error\ndata: \{"json":.*"reason":"TOKEN_MISSING"/m);
  });

  test("that demands nothing needs no sign-in", () => {
    expect(document.paths["/trpc/motto"].get).toMatchObject({
      security: [],
      "x-countersign-demands": { signedIn: false },
    });
    expect(document.paths["/trpc/motto"].get.responses).not.toHaveProperty("401");
    expect(document.paths["/trpc/undeclared"].get).toMatchObject({ security: [], "x-countersign-demands": null });
  });

  test("that demands scopes, a role and a fresh sign-in says so", () => {
    const { post } = document.paths["/trpc/notes.import"];
    expect(post.security).toEqual([{ password: ["notes:read", "notes:write"] }, { bearer: [] }]);
    expect(post["x-countersign-demands"]).toEqual({
      signedIn: true,
      scopes: ["notes:read", "notes:write"],
      roles: ["moderator"],
      maxAge: 300,
    });
    expect(post.description).toMatch(/`notes:read` and `notes:write`.*`moderator`.*300 seconds/);
    expect(Object.keys(post.responses)).toEqual(["200", "400", "401", "403", "503", "default"]);
    expect(post.responses[400].description).toBe("`BAD_REQUEST`: The request is not valid.");
    for (const reason of ["INSUFFICIENT_SCOPE", "INSUFFICIENT_ROLE", "FRESH_LOGIN_REQUIRED"]) {
      expect(post.responses[403].description).toContain(reason);
    }
    expect(post.responses[401].headers).toHaveProperty("WWW-Authenticate");
  });

  test("whose input is not a zod schema, or has no JSON Schema, takes anything", () => {
    expect(inputOf(document.paths["/trpc/undeclared"].get).properties.json).toEqual({});
    expect(inputOf(document.paths["/trpc/hopeless"].post).properties.json).toEqual({});
  });

  test("with two inputs takes what both accept", () => {
    const ajv = new Ajv2020({ strict: false });
    const accepts = ajv.compile(inputOf(document.paths["/trpc/twice"].get).properties.json);
    expect([accepts({ left: "l", right: "r" }), accepts({ left: "l" }), accepts({ right: "r" })]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe("a schema", () => {
  test("that has a name is described once", () => {
    const note = { $ref: "#/components/schemas/Note" };
    expect(outputOf(document.paths["/trpc/notes.create"].post).properties.json).toEqual(note);
    expect(outputOf(document.paths["/trpc/notes.list"].get).properties.json).toEqual({ type: "array", items: note });
    expect(document.components.schemas.Note.properties.createdAt).toEqual({ type: "string", format: "date-time" });
  });

  test("that goes in and comes out has a name for each", () => {
    const { notes } = inputOf(document.paths["/trpc/notes.import"].post).properties.json.properties;
    expect(notes.items).toEqual({ $ref: "#/components/schemas/NoteInput" });
  });

  test("of a reply leaves room for fields to come", () => {
    expect(document.components.schemas.User).not.toHaveProperty("additionalProperties");
  });

  test("of a password is shown as one", () => {
    const { password, scope } = document.components.schemas.PasswordGrant.properties;
    expect([password.format, scope.examples]).toEqual(["password", [""]]);
  });

  test("with a name that OpenAPI does not allow, or that is taken, gets another", async () => {
    const user = z.object({ mine: z.string() }).meta({ id: "User" });
    const odd = z.object({ odd: z.string() }).meta({ id: "odd name/1" });
    const router = subject.auth.t.router({
      both: subject.auth.publicProcedure.output(z.object({ user, odd })).query(() => ({
        user: { mine: "" },
        odd: { odd: "" },
      })),
    });
    const other: Document = await (await createApp(subject.auth, { router }).request("/openapi.json")).json();
    expect(await new Validator().validate(other)).toEqual({ valid: true });
    expect(outputOf(other.paths["/trpc/both"].get).properties.json.properties).toEqual({
      user: { $ref: "#/components/schemas/UserOther" },
      odd: { $ref: "#/components/schemas/odd_name_1" },
    });
  });

  test("that contains itself is described by reference", async () => {
    const Tree = z.object({
      get children() {
        return z.array(Tree);
      },
    });
    const router = subject.auth.t.router({
      grow: subject.auth.publicProcedure
        .input(Tree)
        .output(Tree)
        .mutation(({ input }) => input),
    });
    const other: Document = await (await createApp(subject.auth, { router }).request("/openapi.json")).json();
    expect(await new Validator().validate(other)).toEqual({ valid: true });
    const references = JSON.stringify(other.paths["/trpc/grow"]).match(/#\/components\/schemas\/(In|Out)putPart\d+/g);
    expect(new Set(references).size).toBe(2);
  });
});

describe("an example", () => {
  test("of a reply that refuses has a reason of that status, and fits the schema", () => {
    const validator = new Ajv2020({ strict: false, validateFormats: false }).addSchema(document, "document");
    const operations = Object.entries<Document>(document.paths).flatMap(([path, item]) =>
      Object.entries<Document>(item).map(([method, { responses }]) => ({ path, method, responses })),
    );
    const refusing = operations.flatMap(({ path, method, responses }) =>
      Object.keys(responses)
        .filter((status) => status !== "200")
        .map((status) => ({ path, method, status, content: responses[status].content["application/json"] })),
    );
    expect(refusing.length).toBeGreaterThan(50);
    for (const { path, method, status, content } of refusing) {
      const pointer = [path, method, "responses", status, "content", "application/json", "schema"];
      const $ref = `document#/paths/${pointer.map((key) => encodeURIComponent(escapePointer(key))).join("/")}`;
      const accepts = validator.compile({ $ref });
      expect(Object.keys(content.examples).length, `${path} ${status}`).toBeGreaterThan(0);
      for (const [name, { value }] of Object.entries<Document>(content.examples)) {
        accepts(value);
        expect([path, status, name, accepts.errors ?? []]).toEqual([path, status, name, []]);
        const data = value.error?.json?.data;
        if (data?.reason) expect([data.reason, String(data.httpStatus)]).toEqual([name, status]);
      }
    }
  });

  test("of a refusal names the scope and the role that the procedure demands", () => {
    const { examples } = document.paths["/trpc/notes.import"].post.responses[403].content["application/json"];
    expect(examples.INSUFFICIENT_SCOPE.value.error.json).toMatchObject({
      message: expect.stringContaining('"notes:read" and "notes:write"'),
      data: { code: "FORBIDDEN", path: "notes.import", details: { missing: ["notes:read", "notes:write"] } },
    });
    expect(examples.INSUFFICIENT_ROLE.value.error.json.data.details).toEqual({ role: "moderator" });
  });

  test("of an input is good enough to be sent", async () => {
    const registration = document.components.schemas.RegisterInput.properties;
    const example = Object.fromEntries(
      Object.entries<Document>(registration).map(([name, { examples }]) => [name, examples?.[0]]),
    );
    await using other = await createTestAuth(options);
    const api = createApp(other.auth);
    const init = { method: "POST", headers: { "content-type": "application/json" } };
    const registered = await api.request("/trpc/auth.register", { ...init, body: JSON.stringify({ json: example }) });
    expect(registered.status).toBe(200);
    const { username, password } = document.components.schemas.LoginInput.properties;
    const login = { username: username.examples[0], password: password.examples[0] };
    const signedIn = await api.request("/trpc/auth.login", { ...init, body: JSON.stringify({ json: login }) });
    expect(signedIn.status).toBe(200);
  });
});

test("401 of who is signed in speaks of tokens that have expired and of sessions that were signed out", () => {
  const { description } = document.paths["/users/me"].get.responses[401];
  expect(description).toContain("`TOKEN_EXPIRED`: The token has expired.");
  expect(description).toContain("`SESSION_REVOKED`: This session was signed out.");
});

test("each way to authorize says what it takes", () => {
  const { password, bearer } = document.components.securitySchemes;
  expect(password.description).toMatch(/username and a password/);
  expect(bearer.description).toMatch(/from `POST \/token`/);
});

test("without superjson, values are described as they are", async () => {
  const t = initTRPC.context<AuthContext>().create();
  const router = t.router({
    double: t.procedure
      .concat(subject.auth.publicProcedure)
      .input(z.int())
      .output(z.int())
      .mutation(({ input }) => input * 2),
  });
  const plain: Document = await (await createApp(subject.auth, { router }).request("/openapi.json")).json();
  const { post } = plain.paths["/trpc/double"];
  expect([inputOf(post), outputOf(post)]).toEqual([{ type: "integer" }, { type: "integer" }]);
  expect(plain.info.description).not.toContain("superjson");
});

test("the password flow signs in at /token, with the scopes that are declared", () => {
  const { flows } = document.components.securitySchemes.password;
  expect(flows.password).toEqual({ tokenUrl: "/token", refreshUrl: "/token", scopes });
});

describe("what is sent is what is described", () => {
  const form = (fields: Record<string, string>) => ({ method: "POST", body: new URLSearchParams(fields) });
  const json = (body: unknown) => ({
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const alice = { username: "alice", password };
  let authorization: string;
  let validator: Ajv2020;

  beforeAll(async () => {
    validator = new Ajv2020({ strict: false, validateFormats: false }).addSchema(document, "document");
    await subject.auth.router.createCaller(subject.asNobody()).register(alice);
    const { access_token } = await (await app.request("/token", form(alice))).json();
    authorization = `Bearer ${access_token}`;
  });

  test.for<[path: string, status: number, init: RequestInit & { signedIn?: boolean }]>([
    ["/token", 200, form(alice)],
    ["/token", 400, form({ ...alice, password: "wrong" })],
    ["/users/me", 200, { signedIn: true }],
    ["/users/me", 401, {}],
    ["/.well-known/jwks.json", 200, {}],
    ["/healthz", 200, {}],
    ["/readyz", 200, {}],
    ["/trpc/motto", 200, {}],
    ["/trpc/notes.list", 200, { signedIn: true }],
    ["/trpc/notes.list", 401, {}],
    ["/trpc/notes.create", 200, { ...json({ json: { text: "Buy milk" } }), signedIn: true }],
    ["/trpc/notes.create", 400, { ...json({ json: { text: 7 } }), signedIn: true }],
    ["/trpc/notes.create", 401, json({ json: { text: "Buy milk" } })],
    ["/trpc/notes.import", 403, { ...json({ json: { notes: [] } }), signedIn: true }],
    ["/trpc/auth.login", 200, json({ json: alice })],
    ["/trpc/auth.me", 200, { signedIn: true }],
    ["/trpc/auth.session", 200, { signedIn: true }],
    ["/trpc/auth.sessions.list", 200, { signedIn: true }],
    ["/trpc/auth.sessions.revokeOthers", 200, { ...json({ json: null }), signedIn: true }],
  ])("%s %i", async ([path, status, { signedIn = false, ...init }]) => {
    const headers = { ...(init.headers as Record<string, string>), ...(signedIn && { authorization }) };
    const reply = await app.request(path, { ...init, headers });
    expect(reply.status).toBe(status);
    const pointer = [path, init.method?.toLowerCase() ?? "get", "responses", status, "content", "application/json"];
    const $ref = `document#/paths/${pointer.map((key) => encodeURIComponent(escapePointer(String(key)))).join("/")}/schema`;
    const accepts = validator.compile({ $ref });
    accepts(await reply.json());
    expect(accepts.errors ?? []).toEqual([]);
  });
});

/** RFC 6901. */
function escapePointer(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}
