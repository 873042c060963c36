import { type AuthContext, AuthError, errorFormatter, raises, transformer } from "@countersign/server";
import { initTRPC } from "@trpc/server";
import { z } from "zod";
import { auth } from "./auth.ts";
import type { NoteBook } from "./notes.ts";

/** The application's own context: Countersign's part, and its own. */
export interface Context extends AuthContext {
  readonly notes: NoteBook;
}

const t = initTRPC.context<Context>().create({ transformer, errorFormatter });

const Note = z.object({ id: z.int(), text: z.string(), createdAt: z.date() });
const NoteText = z.strictObject({ text: z.string().min(1).max(1_000) });
const NoteId = z.strictObject({ id: z.int() });

const reader = t.procedure.concat(auth.requires({ scope: "notes:read" }));
const writer = t.procedure.concat(auth.requires({ scope: "notes:write" }));
// Needs a sign-in of the last five minutes: an open laptop is not enough to lose everything.
const recentWriter = t.procedure.concat(auth.requires({ scope: "notes:write", maxAge: 300 }));
const moderator = t.procedure.concat(auth.requires({ scope: "notes:moderate", role: "moderator" }));

const notesRouter = t.router({
  list: reader.output(z.array(Note)).query(({ ctx }) => ctx.notes.of(ctx.principal.accountId)),

  create: writer
    .input(NoteText)
    .output(Note)
    .mutation(({ ctx, input }) => ctx.notes.add(ctx.principal.accountId, input.text)),

  remove: writer
    .concat(raises("NOT_FOUND"))
    .input(NoteId)
    .mutation(({ ctx, input }) => {
      if (!ctx.notes.remove(input.id, ctx.principal.accountId)) throw new AuthError("NOT_FOUND");
    }),

  clear: recentWriter.mutation(({ ctx }) => ctx.notes.clear(ctx.principal.accountId)),

  moderate: moderator
    .concat(raises("NOT_FOUND"))
    .input(NoteId)
    .mutation(({ ctx, input }) => {
      if (!ctx.notes.remove(input.id)) throw new AuthError("NOT_FOUND");
    }),
});

/** Everything under `/trpc`: Countersign's routers, and the notes. */
export const appRouter = t.router({
  auth: auth.router,
  users: auth.usersRouter,
  notes: notesRouter,
  motto: t.procedure.concat(auth.publicProcedure).query(() => "Write it down."),
});

export type AppRouter = typeof appRouter;
