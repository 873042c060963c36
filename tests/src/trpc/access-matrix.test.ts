import { type AuthContext, accessMatrix, createAuth } from "@countersign/server";
import { sqlite } from "@countersign/server/sqlite";
import { initTRPC } from "@trpc/server";
import { describe, expect, it } from "vitest";
import { testRouter } from "../support/test-router.ts";

const anyone = { signedIn: false, scopes: [], roles: [], maxAge: null };
const signedIn = { ...anyone, signedIn: true };
const administrator = { ...signedIn, roles: ["admin"] };

describe("accessMatrix", () => {
  it("lists what each procedure of the test router demands, in the order of paths", () => {
    const expected = [
      ["account.events", "query", signedIn],
      ["account.get", "query", signedIn],
      ["account.keep", "mutation", signedIn],
      ["account.remove", "mutation", { ...signedIn, maxAge: 300 }],
      ["account.update", "mutation", { ...signedIn, maxAge: 300 }],
      ["admin.activity", "query", administrator],
      ["admin.events", "query", administrator],
      ["admin.health", "query", administrator],
      ["admin.keys.list", "query", administrator],
      ["admin.keys.rotate", "mutation", { ...administrator, maxAge: 300 }],
      ["auth.changePassword", "mutation", signedIn],
      ["auth.cookie.login", "mutation", anyone],
      ["auth.cookie.register", "mutation", anyone],
      ["auth.cookie.setUp", "mutation", anyone],
      ["auth.feed", "subscription", anyone],
      ["auth.feedSnapshot", "query", anyone],
      ["auth.login", "mutation", anyone],
      ["auth.logout", "mutation", anyone],
      ["auth.me", "query", signedIn],
      ["auth.refresh", "mutation", anyone],
      ["auth.register", "mutation", anyone],
      ["auth.session", "query", anyone],
      ["auth.sessions.list", "query", signedIn],
      ["auth.sessions.revoke", "mutation", signedIn],
      ["auth.sessions.revokeOthers", "mutation", signedIn],
      ["broken", "query", signedIn],
      ["dangerous", "mutation", { ...signedIn, maxAge: 300 }],
      ["find", "query", signedIn],
      ["length", "query", anyone],
      ["live", "subscription", { ...signedIn, scopes: ["notes:read"] }],
      ["moderate", "mutation", { ...signedIn, scopes: ["notes:read", "notes:moderate"] }],
      ["ping", "query", anyone],
      ["publicLive", "subscription", anyone],
      ["read", "query", { ...signedIn, scopes: ["notes:read"] }],
      ["tidy", "mutation", { ...signedIn, roles: ["moderator"] }],
      ["users.create", "mutation", { ...administrator, maxAge: 300 }],
      ["users.disable", "mutation", administrator],
      ["users.enable", "mutation", administrator],
      ["users.get", "query", administrator],
      ["users.list", "query", administrator],
      ["users.remove", "mutation", { ...administrator, maxAge: 300 }],
      ["users.sessions.list", "query", administrator],
      ["users.sessions.revoke", "mutation", administrator],
      ["users.sessions.revokeAll", "mutation", administrator],
      ["users.setPassword", "mutation", { ...administrator, maxAge: 300 }],
      ["users.setRoles", "mutation", { ...administrator, maxAge: 300 }],
      ["users.setTemporaryPassword", "mutation", { ...administrator, maxAge: 300 }],
      ["whoami", "query", signedIn],
      ["write", "mutation", { ...signedIn, scopes: ["notes:write"] }],
    ] as const;
    expect(accessMatrix(testRouter)).toEqual(expected.map(([path, type, demands]) => ({ path, type, ...demands })));
  });

  it("names every procedure that declares nothing, wherever it is nested", () => {
    const t = initTRPC.context<AuthContext>().create();
    const router = t.router({
      auth: testRouter.auth,
      fine: testRouter.ping,
      forgotten: t.procedure.query(() => "oops"),
      deep: t.router({ down: t.router({ here: t.procedure.mutation(() => "oops") }) }),
    });
    expect(() => accessMatrix(router)).toThrow(TypeError);
    expect(() => accessMatrix(router)).toThrow(/declare nothing about their callers: deep\.down\.here, forgotten\./);
  });

  it("adds up guards that stand one behind the other: all scopes and roles, the least age", () => {
    const auth = createAuth({
      database: sqlite(":memory:"),
      secret: Buffer.from("0123456789abcdef".repeat(2)).toString("base64url"),
      issuer: "http://localhost:3000",
      scopes: { a: "A", b: "B" },
      roles: { r: {} },
    });
    const both = auth.publicProcedure
      .concat(auth.requires({ scope: "a", maxAge: 600 }))
      .concat(auth.requires({ scope: ["a", "b"], role: "r", maxAge: 60 }));
    const router = auth.t.router({ both: both.query(() => 1) });
    expect(accessMatrix(router)).toEqual([
      { path: "both", type: "query", signedIn: true, scopes: ["a", "b"], roles: ["r"], maxAge: 60 },
    ]);
  });
});
