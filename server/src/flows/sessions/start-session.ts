import { AuthError } from "@countersign/shared";
import type { AccountId, SessionId } from "@countersign/shared/schemas";
import { newId } from "../../crypto/id.ts";
import type { Caller, Db, Deps } from "../../deps.ts";
import { findAccountById } from "../../store/accounts.ts";
import { latestVersionInFeed } from "../../store/feed-events.ts";
import type { SessionRow } from "../../store/schema.ts";
import { insertSession, listSessionsBeyond } from "../../store/sessions.ts";
import { hasOneWriter, transact } from "../../store/transact.ts";
import type { Account } from "../accounts/account.ts";
import { recordAudit } from "../audit.ts";
import { issueAccessToken, type StartedSession } from "./issue-tokens.ts";
import { asKnown } from "./known-session.ts";
import { revoke } from "./revoke.ts";

/** The client of everyone who signs in directly. Third-party clients have ids of their own. */
const firstPartyClientId = "countersign";

/** Live sessions of one account. One more ends the session that was not used for the longest time. */
const maxSessions = 1_000;

/** Starts a session for an account that has just proved itself, and issues its first tokens. On disk before it returns. */
export async function startSession(
  deps: Deps,
  account: Account,
  start: {
    readonly caller: Caller;
    /** How the account proved itself (RFC 8176), as in `["pwd"]`. */
    readonly amr: readonly string[];
    /** The scopes asked for; empty for all that the account may have. */
    readonly scope?: string;
    /** What follows from it: along with it where a transaction is in nobody's way, and else not worth refusing it for. */
    readonly onStart?: (trx: Db) => Promise<void>;
  },
): Promise<StartedSession> {
  const now = deps.now();
  const session: SessionRow = {
    id: newId(now, deps.randomBytes(16)) as SessionId,
    account_id: account.id,
    client_id: firstPartyClientId,
    generation: 0,
    salt: deps.randomBytes(16),
    scope: start.scope ?? "",
    amr: start.amr.join(" "),
    auth_time: now,
    created_at: now,
    rotated_at: now,
    rotated_by: null,
    expires_at: now + deps.settings.refreshTtlSeconds * 1_000,
    ends_at: now + deps.settings.sessionTtlSeconds * 1_000,
    revoked_at: null,
    revoked_reason: null,
    address: start.caller.address,
    user_agent: start.caller.userAgent,
  };
  const accessToken = await issueAccessToken(deps, session, account);
  await transact(deps.db, async (trx) => {
    await requireUnchanged(deps, trx, account);
    await insertSession(trx, session);
    await recordAudit(deps, trx, { kind: "sign_in", accountId: account.id, sessionId: session.id }, start.caller);
    if (hasOneWriter(deps.db)) await start.onStart?.(trx);
  });
  deps.tally.count("sign_in");
  deps.knownSessions.set(session.id, asKnown(session), session.expires_at);
  await followUp(deps, account.id, start);
  return { session, account, accessToken };
}

/**
 * Apart from the session's own transaction where there are several writers: sign-ins of one account all touch the same counters
 * and list the same sessions, and would be in each other's way. The session is on disk by now, so a failure is no answer to its
 * owner.
 */
async function followUp(
  deps: Deps,
  accountId: AccountId,
  { onStart, caller }: Pick<Parameters<typeof startSession>[2], "onStart" | "caller">,
): Promise<void> {
  try {
    if (onStart !== undefined && !hasOneWriter(deps.db))
      await transact(deps.db, onStart, { isolation: "read committed" });
    await endForgotten(deps, accountId, caller);
  } catch (error) {
    deps.log.warn({ err: error, accountId }, "a session was started, and what follows from it could not be written");
  }
}

/** A script that signs in for each of its runs would otherwise leave sessions without end. */
async function endForgotten(deps: Deps, accountId: AccountId, caller: Caller): Promise<void> {
  const forgotten = await listSessionsBeyond(deps.db, { accountId, keep: maxSessions, now: deps.now() });
  for (const id of forgotten) await revoke(deps, { id }, { reason: "too_many_sessions", caller });
}

/** While the password was hashed, it may have been changed, or the account disabled: what was proved is then worth nothing. */
async function requireUnchanged(deps: Deps, trx: Db, account: Account): Promise<void> {
  if ((await versionNow(deps, trx, account)) !== account.version) throw new AuthError("INVALID_CREDENTIALS");
}

/** Of our own accounts the row's; of the application's, what it last told with `accountChanged`, if that is later. */
async function versionNow(deps: Deps, trx: Db, { id, version }: Account): Promise<number | null> {
  if (deps.settings.authenticate === undefined) return (await findAccountById(trx, id))?.version ?? null;
  return Math.max(version, (await latestVersionInFeed(trx, id)) ?? version);
}
