import { AuthError } from "@countersign/shared";
import type { AccountId } from "@countersign/shared/schemas";
import type { Caller, Deps } from "../../deps.ts";
import { type KeptSession, noteRefresh, readKeptSessions } from "../../store/rehearsal/kept.ts";
import { findAccount } from "../accounts/account.ts";
import { createAccount } from "../accounts/create-account.ts";
import { login } from "../sessions/login.ts";
import { logout } from "../sessions/logout.ts";
import { refresh } from "../sessions/refresh.ts";
import { resolvePrincipal } from "../sessions/resolve-principal.ts";

/** What was tried, and what of it failed. */
export interface Exercised {
  /** Live sessions that were refreshed, by the token that their client has. */
  readonly refreshed: number;
  /** A sentence each. Empty when the program works on this database. */
  readonly problems: readonly string[];
}

const mostProblems = 10;
const caller: Caller = { address: null, userAgent: "countersign rehearsal", requestId: null };

/** Does what people do: signs up, in and out, and goes on with the sessions that are there. For a copy: it changes them. */
export async function exercise(deps: Deps): Promise<Exercised> {
  const problems = deps.settings.authenticate === undefined ? await tryNewcomer(deps) : [];
  let refreshed = 0;
  for (const session of await readKeptSessions(deps.db)) {
    const outcome = await tryRefresh(deps, session);
    if (outcome === "refreshed") refreshed += 1;
    else if (outcome !== "not tried") problems.push(outcome.problem);
  }
  return { refreshed, problems: problems.slice(0, mostProblems) };
}

async function tryNewcomer(deps: Deps): Promise<string[]> {
  const username = `rehearsal-${Buffer.from(deps.randomBytes(8)).toString("hex")}`;
  const password = Buffer.from(deps.randomBytes(24)).toString("base64url");
  let step = "signed up";
  try {
    await createAccount(deps, { username, password, roles: [] }, { caller, audit: { kind: "account_registered" } });
    step = "signed in";
    const { session, accessToken } = await login(deps, { username, password }, caller);
    step = "answered with a new access token";
    const authorization = `Bearer ${await accessToken.accessToken}`;
    await resolvePrincipal(deps, { authorization, cookie: () => null, account: null }, caller);
    step = "refreshed";
    const next = await refresh(deps, { refreshToken: deps.refreshTokens.make(session) }, caller);
    step = "signed out";
    const refreshToken = deps.refreshTokens.make(next.session);
    await logout(deps, { refreshToken }, { principal: async () => null, caller });
    step = "refused after signing out";
    return (await isRefused(refresh(deps, { refreshToken }, caller))) ? [] : [`Nobody can be ${step}.`];
  } catch (error) {
    return [`Nobody can be ${step}: ${saidBy(error)}.`];
  }
}

async function tryRefresh(deps: Deps, session: KeptSession): Promise<"refreshed" | "not tried" | { problem: string }> {
  try {
    const account = await findAccount(deps, session.account_id as AccountId);
    // That it may not sign in is no fault of the tables.
    if (account === null || account.disabled) return "not tried";
    await refresh(deps, { refreshToken: deps.refreshTokens.make(session) }, caller);
    await noteRefresh(deps.db, session);
    return "refreshed";
  } catch (error) {
    return { problem: `Session ${session.id} cannot be refreshed: ${saidBy(error)}.` };
  }
}

async function isRefused(call: Promise<unknown>): Promise<boolean> {
  return call.then(
    () => false,
    (error: unknown) => error instanceof AuthError && error.reason === "SESSION_REVOKED",
  );
}

/** The rows of a copy are as secret as the original's: what a driver says may quote them. */
function saidBy(error: unknown): string {
  if (error instanceof AuthError) return error.reason;
  return error instanceof Error ? error.constructor.name : "unknown error";
}
