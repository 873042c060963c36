/** The application of the tests: one procedure for each kind of guard. */
import { AuthError, createAuth, raises } from "@countersign/server";
import { sqlite } from "@countersign/server/sqlite";
import { z } from "zod";
import { boardOf } from "./board.ts";

/** Never opened: the tests run on `createTestAuth(testOptions)`. */
const auth = createAuth({
  database: sqlite(":memory:"),
  secret: Buffer.from("0123456789abcdef".repeat(2)).toString("base64url"),
  issuer: "http://localhost:3000",
  scopes: {
    "notes:read": "Read your notes",
    "notes:write": "Write your notes",
    "notes:moderate": "Remove others' notes",
  },
  roles: { moderator: { scopes: ["notes:moderate"] } },
  claims: ({ username }) => ({ shoutedName: username.toUpperCase() }),
});

export const testOptions = auth.options;

const BoardInput = z.object({ board: z.string(), lastEventId: z.string().nullish() });

export const testRouter = auth.t.router({
  auth: auth.router,
  account: auth.accountRouter,
  users: auth.usersRouter,
  admin: auth.adminRouter,
  ping: auth.publicProcedure.query(() => "pong"),
  length: auth.publicProcedure.input(z.string()).query(({ input }) => input.length),
  whoami: auth.protectedProcedure.query(({ ctx }) => ctx.principal),
  read: auth.requires({ scope: "notes:read" }).query(() => "read"),
  write: auth
    .requires({ scope: "notes:write" })
    .input(z.strictObject({ text: z.string().max(100), at: z.date().optional() }))
    .mutation(({ input }) => input.text),
  moderate: auth.requires({ scope: ["notes:read", "notes:moderate"] }).mutation(() => "moderated"),
  tidy: auth.requires({ role: "moderator" }).mutation(() => "tidied"),
  dangerous: auth.requires({ maxAge: 300 }).mutation(() => "done"),
  live: auth
    .requires({ scope: "notes:read" })
    .input(BoardInput)
    .subscription(({ input, signal }) => boardOf(input.board).read(input.lastEventId, signal)),
  publicLive: auth.publicProcedure
    .input(BoardInput)
    .subscription(({ input, signal }) => boardOf(input.board).read(input.lastEventId, signal)),
  find: auth.protectedProcedure
    .concat(raises("NOT_FOUND"))
    .input(z.strictObject({ id: z.int() }))
    .query(() => {
      throw new AuthError("NOT_FOUND");
    }),
  broken: auth.protectedProcedure.query(() => {
    throw new Error("select * from secrets where path = /etc/shadow");
  }),
});

export type TestRouter = typeof testRouter;
