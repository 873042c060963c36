/** Generates the same application again and again: with Countersign, with a sign-in of its own by hand, and with better-auth. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const peer = fileURLToPath(new URL("../peers/better-auth", import.meta.url));

const routers = 20;
const proceduresPerRouter = 10;

/** How many procedures the application has of its own. */
export const procedures = routers * proceduresPerRouter;

const byHand = `
import { initTRPC, TRPCError } from "@trpc/server";
import superjson from "superjson";

export interface Context {
  readonly user: { readonly accountId: string; readonly scopes: readonly string[] } | null;
  readonly region: string;
}

export const t = initTRPC.context<Context>().create({ transformer: superjson });

export const open = t.procedure;
export const signedIn = t.procedure.use(({ ctx, next }) => {
  if (ctx.user === null) throw new TRPCError({ code: "UNAUTHORIZED" });
  return next({ ctx: { principal: ctx.user } });
});
export const writer = signedIn.use(({ ctx, next }) => {
  if (!ctx.principal.scopes.includes("things:write")) throw new TRPCError({ code: "FORBIDDEN" });
  return next();
});

export const mounted = {};
`;

const withCountersign = `
import { type AuthContext, createAuth, errorFormatter, transformer } from "@countersign/server";
import { sqlite } from "@countersign/server/sqlite";
import { initTRPC } from "@trpc/server";

export const auth = createAuth({
  database: sqlite(":memory:"),
  secret: "an-example-secret-of-43-base64url-characters",
  issuer: "https://app.example",
  scopes: { "things:write": "Write things" },
});

export interface Context extends AuthContext {
  readonly region: string;
}

export const t = initTRPC.context<Context>().create({ transformer, errorFormatter });

export const open = t.procedure.concat(auth.publicProcedure);
export const signedIn = t.procedure.concat(auth.protectedProcedure);
export const writer = t.procedure.concat(auth.requires({ scope: "things:write" }));

export const mounted = { auth: auth.router, users: auth.usersRouter };
`;

const clientByHand = `
import { createTRPCClient, httpBatchLink } from "@trpc/client";
import superjson from "superjson";
import type { AppRouter } from "./router.ts";

export const api = createTRPCClient<AppRouter>({
  links: [httpBatchLink({ url: "https://app.example/trpc", transformer: superjson })],
});
`;

const clientWithCountersign = `
import { createAuthClient } from "@countersign/client";
import type { AppRouter } from "./router.ts";

export const { trpc: api } = createAuthClient<AppRouter>({ url: "https://app.example/trpc" });
`;

/** As better-auth's pages have it: a session asked of it for each call, and its client beside tRPC's. */
const withBetterAuth = `
import { initTRPC, TRPCError } from "@trpc/server";
import { betterAuth } from "better-auth";
import superjson from "superjson";

export const auth = betterAuth({ emailAndPassword: { enabled: true } });

export interface Context {
  readonly session: Awaited<ReturnType<typeof auth.api.getSession>>;
  readonly region: string;
}

export const t = initTRPC.context<Context>().create({ transformer: superjson });

export const open = t.procedure;
export const signedIn = t.procedure.use(({ ctx, next }) => {
  if (ctx.session === null) throw new TRPCError({ code: "UNAUTHORIZED" });
  return next({ ctx: { principal: { accountId: ctx.session.user.id } } });
});
export const writer = signedIn;

export const mounted = {};
`;

const clientWithBetterAuth = `
import { createTRPCClient, httpBatchLink } from "@trpc/client";
import { createAuthClient } from "better-auth/client";
import superjson from "superjson";
import type { AppRouter } from "./router.ts";

export const authClient = createAuthClient({ baseURL: "https://app.example" });
export const api = createTRPCClient<AppRouter>({
  links: [httpBatchLink({ url: "https://app.example/trpc", transformer: superjson })],
});
`;

/** What differs between them, and nothing else does. */
export const variants = {
  without: { "trpc.ts": byHand, "client.ts": clientByHand },
  with: { "trpc.ts": withCountersign, "client.ts": clientWithCountersign },
  "better-auth": { "trpc.ts": withBetterAuth, "client.ts": clientWithBetterAuth },
};

/**
 * Writes an application into a folder.
 *
 * @param {string} folder
 * @param {Record<string, string>} own the files that are a variant's own
 */
export function generate(folder, own) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  // The peer has packages of its own, which only its variant imports.
  symlinkSync(join(peer, "node_modules", "better-auth"), join(folder, "node_modules", "better-auth"));
  const names = Array.from({ length: routers }, (_, index) => `things${index}`);
  const files = {
    ...own,
    ...Object.fromEntries(names.map((name) => [`${name}.ts`, routerFile(name)])),
    "router.ts": rootFile(names),
    "calls.ts": callsFile(names),
    "tsconfig.json": JSON.stringify({
      compilerOptions: {
        target: "es2024",
        lib: ["es2024", "esnext.disposable", "dom"],
        module: "nodenext",
        strict: true,
        noEmit: true,
        allowImportingTsExtensions: true,
        skipLibCheck: true,
        types: [],
      },
      include: ["*.ts"],
    }),
  };
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
}

/** @param {string} name */
function routerFile(name) {
  const entries = Array.from({ length: proceduresPerRouter }, (_, index) => procedure(index));
  return `
import { z } from "zod";
import { open, signedIn, t, writer } from "./trpc.ts";

const Thing = z.object({ id: z.string(), name: z.string().max(100), count: z.int(), tags: z.array(z.string()), at: z.date() });

export const ${name} = t.router({
${entries.join("\n")}
});
`;
}

/** @param {number} index */
function procedure(index) {
  const of = `z.object({ id: z.string(), field${index}: z.number().optional() })`;
  const thing = `{ id: input.id, name: ctx.region, count: ${index}, tags: [], at: new Date() }`;
  const kinds = [
    `open.input(${of}).query(({ ctx, input }) => [input.id, ctx.region])`,
    `signedIn.input(${of}).output(Thing).query(({ ctx, input }) => (${thing}))`,
    `signedIn.query(({ ctx }) => ({ owner: ctx.principal.accountId, at: new Date() }))`,
    `writer.input(Thing.omit({ at: true })).output(Thing).mutation(({ input }) => ({ ...input, at: new Date() }))`,
    `writer.input(${of}).mutation(({ ctx, input }) => ({ removed: input.id, by: ctx.principal.accountId }))`,
  ];
  return `  call${index}: ${kinds[index % kinds.length]},`;
}

/** @param {string[]} names */
function rootFile(names) {
  return `
import { mounted, t } from "./trpc.ts";
${names.map((name) => `import { ${name} } from "./${name}.ts";`).join("\n")}

export const appRouter = t.router({ ...mounted, ${names.join(", ")} });
export type AppRouter = typeof appRouter;
`;
}

/** @param {string[]} names */
function callsFile(names) {
  const calls = names.flatMap((name) =>
    Array.from({ length: proceduresPerRouter }, (_, index) => `  ${call(`api.${name}.call${index}`, index)};`),
  );
  return `
import { api } from "./client.ts";

export async function callAll() {
${calls.join("\n")}
}
`;
}

/**
 * @param {string} path
 * @param {number} index
 */
function call(path, index) {
  const input = `{ id: "1", field${index}: 1 }`;
  const kinds = [
    `(await ${path}.query(${input})).join()`,
    `(await ${path}.query(${input})).at.getTime()`,
    `(await ${path}.query()).owner.length`,
    `(await ${path}.mutate({ id: "1", name: "x", count: 1, tags: [] })).tags.length`,
    `(await ${path}.mutate(${input})).removed.length`,
  ];
  return kinds[index % kinds.length];
}
