/** Guards on an application's own `t`: its context, its meta type, its transformer and its error formatter stay its own. */
import {
  type AuthContext,
  AuthError,
  createAuth,
  errorFormatter,
  type Principal,
  transformer,
} from "@countersign/server";
import { sqlite } from "@countersign/server/sqlite";
import { createTestAuth, type TestAuth } from "@countersign/server/testing";
import { type AnyTRPCRouter, initTRPC, type TRPCRouterCaller } from "@trpc/server";
import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import { type Observer, observable } from "@trpc/server/observable";
import superjson from "superjson";
import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";

const auth = createAuth({
  database: sqlite(":memory:"),
  secret: Buffer.from("0123456789abcdef".repeat(2)).toString("base64url"),
  issuer: "http://localhost:3000",
  scopes: { "notes:read": "Read", "notes:write": "Write" },
  roles: { moderator: { scopes: ["notes:write"] } },
  claims: () => ({ team: "blue" as const }),
});
type AppPrincipal = Principal<"notes:read" | "notes:write", "moderator" | "admin", { team: "blue" }>;

interface Context extends AuthContext {
  readonly tenant: string;
}
interface Meta {
  readonly audited: boolean;
}

/** Every way to make a `t`. */
const builder = initTRPC.context<Context>().meta<Meta>();
const ownFormatter = ({ shape }: { shape: { message: string; code: number; data: object } }) => ({
  ...shape,
  data: { ...shape.data, tenantSays: "no" },
});
const roots = {
  "our transformer and formatter": builder.create({ transformer, errorFormatter }),
  "our transformer": builder.create({ transformer }),
  "plain superjson": builder.create({ transformer: superjson }),
  "no transformer": builder.create(),
  "a formatter of its own": builder.create({ transformer, errorFormatter: ownFormatter as never }),
};

function routerOf(t: (typeof roots)["our transformer"]) {
  return t.router({
    auth: auth.router,
    open: t.procedure.concat(auth.publicProcedure).query(({ ctx }) => ctx.tenant),
    mine: t.procedure
      .meta({ audited: true })
      .concat(auth.protectedProcedure)
      .query(({ ctx }) => `${ctx.principal.username} of ${ctx.tenant}`),
    write: t.procedure
      .concat(auth.requires({ scope: "notes:write" }))
      .input(z.object({ text: z.string() }))
      .mutation(({ input }) => input.text),
    lines: t.procedure.concat(auth.protectedProcedure).query(failingLater),
    events: t.procedure.concat(auth.protectedProcedure).subscription(failingLater),
    observed: t.procedure
      .concat(auth.protectedProcedure)
      .subscription(() => observable<string, unknown>((observer) => emitAndFail(observer))),
    publicEvents: t.procedure.concat(auth.publicProcedure).subscription(failingLater),
    unguarded: t.procedure.query(() => {
      throw new Error("select * from tenants");
    }),
  });
}

async function* failingLater() {
  yield "a value";
  throw rateLimited();
}

function emitAndFail(observer: Observer<string, unknown>): void {
  observer.next("a value");
  queueMicrotask(() => observer.error(rateLimited()));
}

function rateLimited(): AuthError {
  return new AuthError("RATE_LIMITED", { retryAfter: 7 });
}

interface CallOptions {
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Calls over HTTP, as tRPC's own fetch adapter serves it. */
async function call(test: TestAuth, router: AnyTRPCRouter, path: string, options: CallOptions = {}) {
  const reply = await replyTo(test, router, path, options);
  return { status: reply.status, body: await reply.json() };
}

function replyTo(test: TestAuth, router: AnyTRPCRouter, path: string, options: CallOptions): Promise<Response> {
  const headers = {
    "content-type": "application/json",
    ...(options.token && { authorization: `Bearer ${options.token}` }),
    ...options.headers,
  };
  const init = "body" in options ? { method: "POST", body: JSON.stringify(options.body), headers } : { headers };
  return fetchRequestHandler({
    endpoint: "/trpc",
    router,
    req: new Request(`http://localhost/trpc/${path}`, init),
    createContext: async (request) => ({ ...(await test.auth.createContext(request)), tenant: "acme" }),
  });
}

async function tokenFor(test: TestAuth): Promise<string> {
  const caller = test.auth.router.createCaller(test.asNobody());
  return (await caller.register({ username: "alice", password: "correct horse battery staple" })).accessToken;
}

describe.each(Object.entries(roots))("on a t with %s", (name, t) => {
  const router = routerOf(t as (typeof roots)["our transformer"]);
  const isPlain = name === "no transformer";
  const wrap = (value: unknown) => (isPlain ? value : { json: value });

  it("guards answer with the application's context beside the principal", async () => {
    await using test = await createTestAuth(auth.options);
    const token = await tokenFor(test);
    expect(await call(test, router, "open")).toMatchObject({ status: 200, body: { result: { data: wrap("acme") } } });
    const mine = await call(test, router, "mine", { token });
    expect(mine).toMatchObject({ status: 200, body: { result: { data: wrap("alice of acme") } } });
  });

  it("guards refuse with the status and the typed reason", async () => {
    await using test = await createTestAuth(auth.options);
    const token = await tokenFor(test);
    const missing = await call(test, router, "mine");
    const data = { code: "UNAUTHORIZED", httpStatus: 401, path: "mine", reason: "TOKEN_MISSING", details: {} };
    expect(missing).toMatchObject({ status: 401, body: { error: wrap({ data }) } });
    const scope = await call(test, router, "write", { token, body: wrap({ text: "hello" }) });
    const refusal = {
      code: "FORBIDDEN",
      httpStatus: 403,
      reason: "INSUFFICIENT_SCOPE",
      details: { missing: ["notes:write"] },
    };
    expect(scope).toMatchObject({ status: 403, body: { error: wrap({ data: refusal }) } });
  });

  it.each([
    { path: "lines?batch=1", headers: { "trpc-accept": "application/jsonl" } },
    { path: "events", headers: { accept: "text/event-stream" } },
    { path: "observed", headers: { accept: "text/event-stream" } },
    { path: "publicEvents", headers: { accept: "text/event-stream" } },
  ])("what fails in the middle of a stream has its typed reason: $path", async ({ path, headers }) => {
    await using test = await createTestAuth(auth.options);
    const reply = await replyTo(test, router, path, { token: await tokenFor(test), headers });
    const sent = await reply.text();
    expect(sent).toContain("a value");
    expect(sent).toContain('"reason":"RATE_LIMITED","details":{"retryAfter":7}');
  });

  it("our procedures work where they are mounted", async () => {
    await using test = await createTestAuth(auth.options);
    await tokenFor(test);
    const body = wrap({ username: "alice", password: "wrong" });
    const wrong = await call(test, router, "auth.login", { body });
    expect(wrong).toMatchObject({ status: 401, body: { error: wrap({ data: { reason: "INVALID_CREDENTIALS" } }) } });
    const right = await call(test, router, "auth.login", {
      body: wrap({ username: "alice", password: "correct horse battery staple" }),
    });
    expect(right).toMatchObject({ status: 200, body: { result: { data: wrap({ user: { username: "alice" } }) } } });
    const bad = await call(test, router, "auth.login", { body: wrap({ username: "alice" }) });
    expect(bad).toMatchObject({ status: 400, body: { error: wrap({ data: { reason: "BAD_REQUEST" } }) } });
  });
});

it("an application's own formatter formats what our guards do not stand before", async () => {
  await using test = await createTestAuth(auth.options);
  const router = routerOf(roots["a formatter of its own"] as unknown as (typeof roots)["our transformer"]);
  const own = await call(test, router, "unguarded");
  expect(own).toMatchObject({ status: 500, body: { error: { json: { data: { tenantSays: "no" } } } } });
});

describe("types of guards on an application's own t", () => {
  const t = roots["our transformer and formatter"];

  it("have the principal never null, and the application's context beside it", () => {
    t.procedure.concat(auth.protectedProcedure).query(({ ctx }) => {
      expectTypeOf(ctx.principal).toEqualTypeOf<AppPrincipal>();
      expectTypeOf(ctx.tenant).toBeString();
    });
    auth.protectedProcedure.query(({ ctx }) => {
      expectTypeOf(ctx.principal).toEqualTypeOf<AppPrincipal>();
      expectTypeOf(ctx.principal.claims.team).toEqualTypeOf<"blue">();
    });
  });

  it("have no principal behind the public procedure", () => {
    t.procedure.concat(auth.publicProcedure).query(({ ctx }) => {
      expectTypeOf(ctx).not.toHaveProperty("principal");
      expectTypeOf(ctx.auth.principal).returns.resolves.toBeNullable();
    });
  });

  it("take only scopes and roles that are declared", () => {
    auth.requires({ scope: "notes:read", role: "moderator", maxAge: 60 });
    auth.requires({ scope: ["notes:read", "notes:write"], role: "admin" });
    // @ts-expect-error: "notes:fly" is not declared.
    expect(() => auth.requires({ scope: "notes:fly" })).toThrow(TypeError);
    // @ts-expect-error: "notes:fly" is not declared.
    expect(() => auth.requires({ scope: ["notes:read", "notes:fly"] })).toThrow(TypeError);
    // @ts-expect-error: "emperor" is not declared.
    expect(() => auth.requires({ role: "emperor" })).toThrow(TypeError);
    // @ts-expect-error: an age is a number of seconds.
    expect(() => auth.requires({ maxAge: "5m" })).toThrow(TypeError);
  });

  it("keep the meta type of the application", () => {
    const procedure = t.procedure.meta({ audited: true }).concat(auth.protectedProcedure);
    procedure.meta({ audited: false });
    // @ts-expect-error: the application's meta has no such field.
    procedure.meta({ adited: false });
  });

  it("refuse a t whose context lacks ours", () => {
    const other = initTRPC.context<{ tenant: string }>().create();
    // @ts-expect-error: the guard needs `auth` in the context.
    other.procedure.concat(auth.protectedProcedure);
  });

  it("allow no role to grant a scope that is not declared", () => {
    const options = {
      database: sqlite(":memory:"),
      secret: Buffer.from("0123456789abcdef".repeat(2)).toString("base64url"),
      issuer: "http://localhost",
    };
    const undeclared = () =>
      createAuth({
        ...options,
        scopes: { "notes:read": "Read" },
        // @ts-expect-error: "notes:fly" is not declared.
        roles: { pilot: { scopes: ["notes:fly"] } },
      });
    expect(undeclared).toThrow('createAuth: "roles.pilot" grants "notes:fly", which "scopes" does not declare');
  });

  it("carry the output over to a caller", () => {
    const router = routerOf(roots["our transformer"]);
    expectTypeOf<
      ReturnType<
        TRPCRouterCaller<(typeof router)["_def"]["_config"]["$types"], (typeof router)["_def"]["record"]>
      >["mine"]
    >().returns.resolves.toBeString();
  });
});

describe("claims", () => {
  const options = {
    database: sqlite(":memory:"),
    secret: Buffer.from("0123456789abcdef".repeat(2)).toString("base64url"),
    issuer: "http://localhost",
  };

  it("arrive with their type, where JSON brings them over as they are", () => {
    interface Profile {
      readonly plan: "free" | "paid";
      readonly teams: readonly { readonly id: number; readonly name?: string }[];
    }
    const profiled = createAuth({ ...options, claims: async (): Promise<Profile> => ({ plan: "free", teams: [] }) });
    profiled.protectedProcedure.query(({ ctx }) => {
      expectTypeOf(ctx.principal.claims).toEqualTypeOf<Profile>();
    });
    createAuth({ ...options, claims: ({ username }) => ({ shouted: username.toUpperCase(), nothing: null }) });
  });

  it("that JSON would change or drop do not compile", () => {
    // @ts-expect-error: a Date arrives as a string.
    createAuth({ ...options, claims: () => ({ since: new Date() }) });
    // @ts-expect-error: a bigint cannot be sent at all.
    createAuth({ ...options, claims: () => ({ balance: 1n }) });
    // @ts-expect-error: a Map arrives empty.
    createAuth({ ...options, claims: async () => ({ nested: { seen: new Map<string, number>() } }) });
    // @ts-expect-error: a function is left out.
    createAuth({ ...options, claims: () => ({ list: [() => 1] }) });
  });
});

describe("requires, called without types,", () => {
  // What plain JavaScript, or an `any`, brings to run time.
  const requires = (requirements: unknown) => () => auth.requires(requirements as Parameters<typeof auth.requires>[0]);

  it.each([
    ["an age that is none", { maxAge: 0 }],
    ["an age below zero", { maxAge: -1 }],
    ["an age that is not a number", { maxAge: Number.NaN }],
    ["a misspelled demand", { roles: ["moderator"] }],
    ["a scope that is not declared", { scope: "notes:fly" }],
    ["a list with a scope that is not declared", { scope: ["notes:read", "notes:fly"] }],
    ["an empty list", { scope: [] }],
    ["a role that is not declared", { role: "pilot" }],
    ["nothing at all", undefined],
  ])("refuses %s when the guard is made", (_, requirements) => {
    expect(requires(requirements)).toThrow(TypeError);
    expect(requires(requirements)).toThrow(/^requires: /);
  });

  it("says which scopes and roles there are", () => {
    expect(requires({ scope: "notes:fly" })).toThrow(
      'requires: "scope" must be of those that createAuth declares: "notes:read", "notes:write"',
    );
    expect(requires({ role: "pilot" })).toThrow(
      'requires: "role" must be of those that createAuth declares: "admin", "moderator"',
    );
  });
});
