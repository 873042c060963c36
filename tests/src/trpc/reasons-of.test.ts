/** Which reasons each procedure declares: in the types of clients, and on the wire. */
import { failureOf, isAuthError, type ReasonsOf, type UndeclaredFailure } from "@countersign/client";
import { AuthError, createAuth, raises, transformer } from "@countersign/server";
import { sqlite } from "@countersign/server/sqlite";
import type { Reason } from "@countersign/shared";
import { safe, TRPCClientError } from "@trpc/client";
import { initTRPC } from "@trpc/server";
import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { bearer, signUp } from "../support/people.ts";
import { type Client, password, testApp } from "../support/test-app.ts";
import type { TestRouter } from "../support/test-router.ts";

type Token =
  | "TOKEN_MISSING"
  | "TOKEN_INVALID"
  | "TOKEN_EXPIRED"
  | "SESSION_REVOKED"
  | "ACCOUNT_DISABLED"
  | "ORIGIN_NOT_ALLOWED";

const auth = createAuth({
  database: sqlite(":memory:"),
  secret: Buffer.from("0123456789abcdef".repeat(2)).toString("base64url"),
  issuer: "http://localhost:3000",
  scopes: { "notes:read": "Read", "notes:write": "Write" },
});

/** A `t` of the application's own: with a context of its own, and an error formatter of its own. */
const own = initTRPC.context<{ auth: never; tenant: string }>().create({
  transformer,
  errorFormatter: ({ shape }) => ({ ...shape, tenantSays: "no" }),
});
const ownRouter = own.router({
  unguarded: own.procedure.query(() => "ok"),
  notes: own.router({
    list: own.procedure.concat(auth.protectedProcedure).query(() => []),
    create: own.procedure
      .concat(auth.requires({ scope: "notes:write" }))
      .concat(raises("NOT_FOUND", "BUSY"))
      .input(z.object({ text: z.string() }))
      .mutation(({ ctx, input }) => `${ctx.tenant} ${ctx.principal.username} ${input.text}`),
  }),
});
type OwnRouter = typeof ownRouter;

describe("ReasonsOf", () => {
  it("has the reasons of each guard, and of no other", () => {
    expectTypeOf<ReasonsOf<TestRouter, "ping">>().toEqualTypeOf<"UNAVAILABLE">();
    expectTypeOf<ReasonsOf<TestRouter, "whoami">>().toEqualTypeOf<"UNAVAILABLE" | Token>();
    expectTypeOf<ReasonsOf<TestRouter, "read">>().toEqualTypeOf<"UNAVAILABLE" | Token | "INSUFFICIENT_SCOPE">();
    expectTypeOf<ReasonsOf<TestRouter, "moderate">>().toEqualTypeOf<"UNAVAILABLE" | Token | "INSUFFICIENT_SCOPE">();
    expectTypeOf<ReasonsOf<TestRouter, "tidy">>().toEqualTypeOf<"UNAVAILABLE" | Token | "INSUFFICIENT_ROLE">();
    expectTypeOf<ReasonsOf<TestRouter, "dangerous">>().toEqualTypeOf<"UNAVAILABLE" | Token | "FRESH_LOGIN_REQUIRED">();
  });

  it("has BAD_REQUEST where there is an input", () => {
    expectTypeOf<ReasonsOf<TestRouter, "length">>().toEqualTypeOf<"UNAVAILABLE" | "BAD_REQUEST">();
    const { t, publicProcedure } = auth;
    const router = t.router({
      optional: publicProcedure.input(z.string().optional()).query(() => ""),
      unknown: publicProcedure.input(z.unknown()).query(() => ""),
    });
    expectTypeOf<ReasonsOf<typeof router, "optional">>().toEqualTypeOf<"UNAVAILABLE" | "BAD_REQUEST">();
    expectTypeOf<ReasonsOf<typeof router, "unknown">>().toEqualTypeOf<"UNAVAILABLE" | "BAD_REQUEST">();
  });

  it("has what our own procedures declare", () => {
    expectTypeOf<ReasonsOf<TestRouter, "auth.login">>().toEqualTypeOf<
      "INVALID_CREDENTIALS" | "ACCOUNT_DISABLED" | "RATE_LIMITED" | "BUSY" | "UNAVAILABLE" | "BAD_REQUEST"
    >();
    expectTypeOf<ReasonsOf<TestRouter, "auth.session">>().toEqualTypeOf<"UNAVAILABLE">();
    expectTypeOf<ReasonsOf<TestRouter, "auth.sessions.list">>().toEqualTypeOf<"UNAVAILABLE" | Token>();
    expectTypeOf<ReasonsOf<TestRouter, "users.get">>().toEqualTypeOf<
      "UNAVAILABLE" | Token | "INSUFFICIENT_ROLE" | "NOT_FOUND" | "BAD_REQUEST"
    >();
  });

  it("works on an application's own t, where a procedure adds its own with raises", () => {
    expectTypeOf<ReasonsOf<OwnRouter, "notes.list">>().toEqualTypeOf<"UNAVAILABLE" | Token>();
    expectTypeOf<ReasonsOf<OwnRouter, "notes.create">>().toEqualTypeOf<
      "UNAVAILABLE" | Token | "INSUFFICIENT_SCOPE" | "BAD_REQUEST" | "NOT_FOUND" | "BUSY"
    >();
  });

  it("has every reason where nothing is declared", () => {
    expectTypeOf<ReasonsOf<OwnRouter, "unguarded">>().toEqualTypeOf<Reason>();
  });

  it("takes only paths of procedures", () => {
    // @ts-expect-error: there is no such procedure.
    expectTypeOf<ReasonsOf<TestRouter, "auth.logon">>();
    // @ts-expect-error: a router is not a procedure.
    expectTypeOf<ReasonsOf<TestRouter, "auth.sessions">>();
  });

  it("counts every demand of requirements that are only known at run time", () => {
    const guardOf = (requirements: { scope?: "notes:read"; role?: "admin" }) => auth.requires(requirements);
    const router = auth.t.router({ some: guardOf({ role: "admin" }).query(() => "") });
    expectTypeOf<ReasonsOf<typeof router, "some">>().toEqualTypeOf<
      "UNAVAILABLE" | Token | "INSUFFICIENT_SCOPE" | "INSUFFICIENT_ROLE"
    >();
  });

  it("leaves tRPC's own error types as they are", () => {
    type Data = NonNullable<TRPCClientError<TestRouter>["data"]>;
    expectTypeOf<Data["reason"]>().toEqualTypeOf<Reason | null>();
    const callSafely = (client: Client) => safe(client.trpc.whoami.query());
    type ErrorOfProcedure = NonNullable<Awaited<ReturnType<typeof callSafely>>[1]>;
    expectTypeOf<NonNullable<ErrorOfProcedure["data"]>["reason"]>().toEqualTypeOf<Reason | null>();
  });
});

/** What a login form says; the compiler holds it to every reason of `auth.login`. */
function explain(error: unknown): string {
  const failure = failureOf<TestRouter, "auth.login">(error);
  if (failure === null) throw error;
  switch (failure.reason) {
    case "INVALID_CREDENTIALS":
    case "ACCOUNT_DISABLED":
      return failure.reason;
    case "RATE_LIMITED":
    case "BUSY":
    case "UNAVAILABLE":
      return `Wait ${failure.details.retryAfter} seconds.`;
    case "BAD_REQUEST":
      return failure.details.issues.map(({ message }) => message).join(" ");
    default:
      failure satisfies UndeclaredFailure;
      return "undeclared";
  }
}

describe("failureOf", () => {
  const errorWith = (data: unknown) => Object.assign(new Error("refused"), { data });

  it("narrows an error of the client to what its procedure declares", async () => {
    await using app = await testApp({ limits: { loginsPerAccount: 1 } });
    const login = () => app.client().login({ username: "alice", password });
    await expect(login().catch(explain)).resolves.toBe("INVALID_CREDENTIALS");
    await expect(login().catch(explain)).resolves.toBe("Wait 900 seconds.");
  });

  it("holds a switch to every declared reason", () => {
    const failure = failureOf<TestRouter, "ping">(errorWith({ reason: "UNAVAILABLE", details: { retryAfter: 1 } }));
    switch (failure?.reason) {
      case undefined:
        break;
      default:
        // @ts-expect-error: UNAVAILABLE has no case of its own.
        failure satisfies UndeclaredFailure;
    }
    // @ts-expect-error: no undeclared reason has a name here.
    expect(failure?.reason === "USERNAME_TAKEN").toBe(false);
  });

  it("says of a reason that was not declared that it is none of the declared", () => {
    expect(explain(errorWith({ reason: "USERNAME_TAKEN", details: {} }))).toBe("undeclared");
    expect(explain(errorWith({ reason: "OF_A_NEWER_SERVER", details: {} }))).toBe("undeclared");
    expectTypeOf<UndeclaredFailure["details"]>().toBeUnknown();
  });

  it("is null for an error that is no refusal", () => {
    const others = [new Error("x"), errorWith(null), errorWith({ reason: null }), errorWith("BUSY"), null, "BUSY"];
    expect(others.map((error) => failureOf<TestRouter, "ping">(error))).toEqual(others.map(() => null));
  });
});

describe("raises", () => {
  it("declares, and the reason arrives typed", async () => {
    await using app = await testApp();
    const session = await signUp(app);
    const error = await bearer(app, session)
      .find.query({ id: 7 })
      .catch((error: unknown) => error);
    expect(error).toBeInstanceOf(TRPCClientError);
    expect(failureOf<TestRouter, "find">(error)).toMatchObject({ reason: "NOT_FOUND", details: {} });
    expectTypeOf<ReasonsOf<TestRouter, "find">>().toEqualTypeOf<"UNAVAILABLE" | Token | "BAD_REQUEST" | "NOT_FOUND">();
  });

  it("is what OpenAPI says, as the types do", async () => {
    await using app = await testApp();
    const { paths } = (await (await app.request("/openapi.json")).json()) as {
      paths: Record<string, Record<"get" | "post", Record<"x-countersign-reasons", string[]>>>;
    };
    const login: readonly ReasonsOf<TestRouter, "auth.login">[] = [
      "BAD_REQUEST",
      "UNAVAILABLE",
      "INVALID_CREDENTIALS",
      "ACCOUNT_DISABLED",
      "RATE_LIMITED",
      "BUSY",
    ];
    expect(paths["/trpc/auth.login"]?.post["x-countersign-reasons"]).toEqual(login);
    const find: readonly ReasonsOf<TestRouter, "find">[] = [
      "BAD_REQUEST",
      "TOKEN_MISSING",
      "TOKEN_INVALID",
      "TOKEN_EXPIRED",
      "SESSION_REVOKED",
      "ACCOUNT_DISABLED",
      "ORIGIN_NOT_ALLOWED",
      "UNAVAILABLE",
      "NOT_FOUND",
    ];
    expect(paths["/trpc/find"]?.get["x-countersign-reasons"]).toEqual(find);
  });

  it("brings the reason also to procedures without a guard", async () => {
    const t = initTRPC.create();
    const router = t.router({
      find: t.procedure.concat(raises("NOT_FOUND")).query(() => {
        throw new AuthError("NOT_FOUND");
      }),
    });
    const error: unknown = await router
      .createCaller({})
      .find()
      .catch((error: unknown) => error);
    expect(error).toMatchObject({ cause: { reason: "NOT_FOUND" } });
    expect(isAuthError(error)).toBe(false);
  });

  it("takes only reasons that there are", () => {
    // @ts-expect-error: there is no such reason.
    raises("NOT_THERE");
  });
});
