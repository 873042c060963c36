import {
  ChangePasswordInput,
  CurrentSession,
  FeedInput,
  LoginInput,
  LogoutInput,
  RefreshInput,
  RegisterInput,
  RevokedCount,
  Session,
  SessionRef,
  SetUpInput,
  SignedIn,
  SignedInSession,
  User,
} from "@countersign/shared/schemas";
import { tracked } from "@trpc/server";
import { z } from "zod";
import { changePassword } from "../../flows/accounts/change-password.ts";
import { register } from "../../flows/accounts/register.ts";
import { setUp } from "../../flows/accounts/set-up.ts";
import { currentSession, currentUser } from "../../flows/sessions/current-session.ts";
import { toSignedIn } from "../../flows/sessions/issue-tokens.ts";
import { listSessions } from "../../flows/sessions/list-sessions.ts";
import { login } from "../../flows/sessions/login.ts";
import { refresh } from "../../flows/sessions/refresh.ts";
import { revoke } from "../../flows/sessions/revoke.ts";
import { signInByCookie, signOut } from "../cookie-sessions.ts";
import { t } from "../init.ts";
import { protectedProcedure, publicProcedure } from "../procedures.ts";
import { raises } from "../raises.ts";

const sessionsRouter = t.router({
  list: protectedProcedure
    .output(z.array(Session))
    .query(({ ctx: { auth, principal } }) =>
      listSessions(auth.deps, { accountId: principal.accountId, current: principal.sessionId }),
    ),

  revoke: protectedProcedure
    .input(SessionRef)
    .output(RevokedCount)
    .mutation(async ({ ctx: { auth, principal }, input }) => ({
      revoked: await revoke(
        auth.deps,
        { id: input.id, accountId: principal.accountId },
        { reason: "signed_out", caller: auth.caller },
      ),
    })),

  revokeOthers: protectedProcedure.output(RevokedCount).mutation(async ({ ctx: { auth, principal } }) => ({
    revoked: await revoke(
      auth.deps,
      { accountId: principal.accountId, except: principal.sessionId },
      { reason: "signed_out", caller: auth.caller },
    ),
  })),
});

const ofRegister = raises(
  "REGISTRATION_CLOSED",
  "RATE_LIMITED",
  "WEAK_PASSWORD",
  "USERNAME_TAKEN",
  "EMAIL_TAKEN",
  "BUSY",
);
const ofLogin = raises("INVALID_CREDENTIALS", "ACCOUNT_DISABLED", "RATE_LIMITED", "BUSY");
const ofCookie = raises("ORIGIN_NOT_ALLOWED");

const cookieRouter = t.router({
  register: publicProcedure
    .concat(ofRegister)
    .concat(ofCookie)
    .input(RegisterInput)
    .output(SignedInSession)
    .mutation(({ ctx: { auth }, input }) => signInByCookie(auth, () => register(auth.deps, input, auth.caller))),

  login: publicProcedure
    .concat(ofLogin)
    .concat(ofCookie)
    .input(LoginInput)
    .output(SignedInSession)
    .mutation(({ ctx: { auth }, input }) => signInByCookie(auth, () => login(auth.deps, input, auth.caller))),

  /** The first account of a server: for whoever has the code that it printed. */
  setUp: publicProcedure
    .concat(raises("REGISTRATION_CLOSED", "INVALID_CREDENTIALS", "RATE_LIMITED", "WEAK_PASSWORD", "BUSY"))
    .concat(ofCookie)
    .input(SetUpInput)
    .output(SignedInSession)
    .mutation(({ ctx: { auth }, input }) => signInByCookie(auth, () => setUp(auth.deps, input, auth.caller))),
});

/** Signing up, in and out, and what a signed-in person may do to their own account. Mounted as `auth`. */
export const authRouter = t.router({
  register: publicProcedure
    .concat(ofRegister)
    .input(RegisterInput)
    .output(SignedIn)
    .mutation(async ({ ctx: { auth }, input }) => toSignedIn(auth.deps, await register(auth.deps, input, auth.caller))),

  login: publicProcedure
    .concat(ofLogin)
    .input(LoginInput)
    .output(SignedIn)
    .mutation(async ({ ctx: { auth }, input }) => toSignedIn(auth.deps, await login(auth.deps, input, auth.caller))),

  refresh: publicProcedure
    .concat(raises("TOKEN_INVALID", "TOKEN_EXPIRED", "SESSION_REVOKED", "SESSION_REUSED", "ACCOUNT_DISABLED"))
    .input(RefreshInput)
    .output(SignedIn)
    .mutation(async ({ ctx: { auth }, input }) => toSignedIn(auth.deps, await refresh(auth.deps, input, auth.caller))),

  logout: publicProcedure
    .concat(raises("TOKEN_MISSING", "TOKEN_INVALID", "TOKEN_EXPIRED", "ACCOUNT_DISABLED"))
    .concat(ofCookie)
    .input(LogoutInput)
    .output(RevokedCount)
    .mutation(({ ctx: { auth }, input }) => signOut(auth, input)),

  session: publicProcedure
    .output(CurrentSession)
    .query(({ ctx: { auth } }) => currentSession(auth.deps, auth.principal, auth.cookie.read() !== null)),

  me: protectedProcedure.output(User).query(({ ctx: { auth, principal } }) => currentUser(auth.deps, principal)),

  changePassword: protectedProcedure
    .concat(raises("INVALID_CREDENTIALS", "RATE_LIMITED", "WEAK_PASSWORD", "BUSY", "REGISTRATION_CLOSED"))
    .input(ChangePasswordInput)
    .output(RevokedCount)
    .mutation(({ ctx: { auth, principal }, input }) =>
      changePassword(auth.deps, input, { principal, caller: auth.caller }),
    ),

  sessions: sessionsRouter,

  /** What is no longer true, for services that verify tokens and do not share the database: a JWS each (`createVerifier`). */
  feed: publicProcedure.input(FeedInput).subscription(async function* ({ ctx: { auth }, input, signal }) {
    for await (const { to, signed } of auth.deps.feedPublisher.follow(positionIn(input), signal)) {
      yield tracked(String(to), signed);
    }
  }),

  /** The same at this moment, for those who cannot keep a connection. */
  feedSnapshot: publicProcedure
    .input(FeedInput)
    .output(z.string())
    .query(async ({ ctx: { auth }, input }) => (await auth.deps.feedPublisher.since(positionIn(input))).signed),

  /** The same for a browser that keeps its session in a cookie: no token ever reaches a script. */
  cookie: cookieRouter,
});

/** Where to go on: what an `EventSource` says when it comes back, or what the caller says. */
function positionIn({ lastEventId, after }: FeedInput): number {
  return lastEventId === undefined || lastEventId === null ? (after ?? 0) : Number(lastEventId);
}

type Built = typeof authRouter;
/** The type of `auth.router`. An interface, so that editors show its name and not all of its procedures. */
export interface AuthRouter extends Built {}
