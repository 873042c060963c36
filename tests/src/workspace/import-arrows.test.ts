import { beforeAll, expect, test } from "vitest";
import { lintPlanted, type Refusals } from "./lint-planted.ts";

/** Who may import whom: the table of the design, row by row. Each import is planted in the folder, and biome has to judge it. */
const arrows: Record<string, { readonly allowed: readonly string[]; readonly refused: readonly string[] }> = {
  "shared/src": {
    allowed: [
      'import { z } from "zod"',
      'import superjson from "superjson"',
      'import { AuthError } from "./errors.ts"',
      'import type { TRPC_ERROR_CODE_NUMBER } from "@trpc/server/rpc"',
    ],
    refused: [
      'import { readFile } from "node:fs/promises"',
      'import { createAuth } from "@countersign/server"',
      'import type { AuthRouter } from "@countersign/server"',
      'import { createAuthClient } from "@countersign/client"',
      'import { createAuth } from "../../server/src/index.ts"',
      'import { initTRPC } from "@trpc/server"',
      'import { getErrorShape } from "@trpc/server/unstable-core-do-not-import"',
    ],
  },
  "client/src": {
    allowed: [
      'import { AuthError } from "@countersign/shared"',
      'import type { LoginInput } from "@countersign/shared/schemas"',
      'import { createTRPCClient } from "@trpc/client"',
      'import type { AuthRouter } from "@countersign/server"',
    ],
    refused: [
      'import { createAuth } from "@countersign/server"',
      'import { createVerifier } from "@countersign/server/verifier"',
      'import type { Verifier } from "@countersign/server/verifier"',
      'import type { Deps } from "../../server/src/deps.ts"',
      'import { AuthError } from "../../shared/src/errors.ts"',
      'import { randomBytes } from "node:crypto"',
      'import { Hono } from "hono"',
    ],
  },
  "server/src/verifier": {
    allowed: ['import { jwtVerify } from "jose"', 'import { AuthError } from "@countersign/shared"'],
    refused: [
      'import { createHash } from "node:crypto"',
      'import { createAuth } from "../create-auth.ts"',
      'import { accounts } from "../store/accounts.ts"',
      'import { sql } from "kysely"',
    ],
  },
  "server/src/http": {
    allowed: [
      'import { Hono } from "hono"',
      'import { serve } from "@hono/node-server"',
      'import { login } from "../flows/sessions/login.ts"',
      'import { createContext } from "../trpc/context.ts"',
      'import type { Deps } from "../deps.ts"',
    ],
    refused: [
      'import { accounts } from "../store/accounts.ts"',
      'import { seal } from "../crypto/sealing.ts"',
      'import { createFeed } from "../engine/feed.ts"',
      'import { serve } from "../cli/serve.ts"',
    ],
  },
  "server/src/trpc": {
    allowed: [
      'import { initTRPC } from "@trpc/server"',
      'import { login } from "../flows/sessions/login.ts"',
      'import { AuthError } from "@countersign/shared"',
      'import type { Deps } from "../deps.ts"',
    ],
    refused: [
      'import { Hono } from "hono"',
      'import { cors } from "hono/cors"',
      'import { serve } from "@hono/node-server"',
      'import { createApp } from "../http/app.ts"',
      'import { accounts } from "../store/accounts.ts"',
      'import { createFeed } from "../engine/feed.ts"',
      'import { seal } from "../crypto/sealing.ts"',
    ],
  },
  "server/src/trpc/routers": {
    allowed: [
      'import { login } from "../../flows/sessions/login.ts"',
      'import { publicProcedure } from "../procedures.ts"',
    ],
    refused: ['import { accounts } from "../../store/accounts.ts"', 'import { createApp } from "../../http/app.ts"'],
  },
  "server/src/flows/sessions": {
    allowed: [
      'import { startSession } from "./start-session.ts"',
      'import type { LoginTicket } from "../../engine/limiter.ts"',
      'import { accounts } from "../../store/accounts.ts"',
      'import { refreshToken } from "../../crypto/refresh-token.ts"',
      'import { AuthError } from "@countersign/shared"',
      'import type { Deps } from "../../deps.ts"',
    ],
    refused: [
      'import { createApp } from "../../http/app.ts"',
      'import { protectedProcedure } from "../../trpc/procedures.ts"',
      'import { createFeed } from "../../engine/feed.ts"',
      'import * as feed from "../../engine/feed.ts"',
      'export const feed = import("../../engine/feed.ts")',
      'import { createAuth } from "../../create-auth.ts"',
      'import { readEnvironment } from "../../environment.ts"',
      'import { Hono } from "hono"',
      'import { TRPCError } from "@trpc/server"',
      'import { createTRPCClient } from "@trpc/client"',
    ],
  },
  "server/src/engine": {
    allowed: [
      'import { feedEvents } from "../store/feed-events.ts"',
      'import { seal } from "../crypto/sealing.ts"',
      'import { AuthError } from "@countersign/shared"',
      'import { SignJWT } from "jose"',
    ],
    refused: [
      'import { createApp } from "../http/app.ts"',
      'import { protectedProcedure } from "../trpc/procedures.ts"',
      'import { login } from "../flows/sessions/login.ts"',
      'import { Hono } from "hono"',
      'import { TRPCError } from "@trpc/server"',
    ],
  },
  "server/src/store": {
    allowed: [
      'import { sql } from "kysely"',
      'import type { AccountId } from "@countersign/shared/schemas"',
      'import type { Db } from "../deps.ts"',
      'import { migrations } from "./migrations/all.ts"',
    ],
    refused: [
      'import { createApp } from "../http/app.ts"',
      'import { protectedProcedure } from "../trpc/procedures.ts"',
      'import { login } from "../flows/sessions/login.ts"',
      'import { createFeed } from "../engine/feed.ts"',
      'import { seal } from "../crypto/sealing.ts"',
      'import { TRPCError } from "@trpc/server"',
    ],
  },
  "server/src/crypto": {
    allowed: [
      'import { createHmac } from "node:crypto"',
      'import { base64url } from "jose"',
      'import { AuthError } from "@countersign/shared"',
      'import { seal } from "./sealing.ts"',
    ],
    refused: [
      'import { createApp } from "../http/app.ts"',
      'import { protectedProcedure } from "../trpc/procedures.ts"',
      'import { login } from "../flows/sessions/login.ts"',
      'import { createFeed } from "../engine/feed.ts"',
      'import { accounts } from "../store/accounts.ts"',
      'import { sql } from "kysely"',
    ],
  },
  "tests/src/flows": {
    allowed: [
      'import { createTestAuth } from "@countersign/server/testing"',
      'import { testApp } from "../support/test-app.ts"',
    ],
    refused: [
      'import { login } from "../../../server/src/flows/sessions/login.ts"',
      'import { errors } from "../../../shared/src/errors.ts"',
      'import { link } from "../../../client/src/link.ts"',
      'import { createAuth } from "../../../server/dist/index.js"',
      'import { login } from "@countersign/server/src/flows/sessions/login.ts"',
    ],
  },
  "examples/notes/tests": {
    allowed: ['import { createAuth } from "@countersign/server"', 'import { notes } from "../src/router.ts"'],
    refused: ['import { login } from "../../../server/src/flows/sessions/login.ts"'],
  },
};

const importRules = new Set(["noNodejsModules", "noRestrictedImports", "noUndeclaredDependencies", "plugin"]);
const rows = Object.entries(arrows).flatMap(([folder, { allowed, refused }]) => [
  ...allowed.map((statement) => ({ folder, statement, verdict: "may" })),
  ...refused.map((statement) => ({ folder, statement, verdict: "may not" })),
]);
const planted = rows.map((row, index) => ({ ...row, path: `${row.folder}/planted-${index}.ts` }));

let refusals: Refusals;
beforeAll(async () => {
  refusals = await lintPlanted(new Map(planted.map(({ path, statement }) => [path, `${statement};\n`])));
}, 30_000);

test.for(planted)("$folder $verdict: $statement", ({ path, verdict }) => {
  const refusedBy = [...(refusals.get(path) ?? [])].filter((rule) => importRules.has(rule));
  if (verdict === "may") expect(refusedBy).toEqual([]);
  else expect(refusedBy).not.toEqual([]);
});
