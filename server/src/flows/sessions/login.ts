import { AuthError } from "@countersign/shared";
import type { LoginInput } from "@countersign/shared/schemas";
import type { Caller, Deps } from "../../deps.ts";
import type { AccountRow } from "../../store/schema.ts";
import type { Account } from "../accounts/account.ts";
import { authenticate, findCandidate } from "../accounts/authenticate.ts";
import { loginKey } from "../accounts/normalise.ts";
import { recordAudit } from "../audit.ts";
import { unlessItFails } from "../unless-it-fails.ts";
import { checkRequestedScope } from "./grant-scopes.ts";
import type { StartedSession } from "./issue-tokens.ts";
import { startSession } from "./start-session.ts";

/**
 * Signs in with a username or an e-mail address, and a password.
 *
 * @throws {AuthError} `RATE_LIMITED`, `INVALID_CREDENTIALS` (which never tells whether the account exists),
 *   `ACCOUNT_DISABLED` (only with the right password), `BUSY`, or `BAD_REQUEST` for an unknown scope.
 */
export async function login(deps: Deps, input: LoginInput, caller: Caller): Promise<StartedSession> {
  const { scope = "" } = input;
  checkRequestedScope(deps.settings, scope);
  // Before anything is counted or read: of a flood, most are refused here, and each would cost what a signed-in call waits for.
  if (deps.settings.authenticate === undefined) deps.hasher.requireRoom();
  const name = loginKey(input.username);
  // Counted before anything is looked up or hashed, so that a batch of 500 guesses counts 500, and costs little.
  const ticket = await deps.limiter.takeLogin(name.key, caller.address);
  const candidate = await unlessItFails(ticket, () => findCandidate(deps, name));
  const prove = () => authenticate(deps, candidate, input);
  // What an application's own `authenticate` throws may be its way to say no, so it stays counted.
  const account = await (deps.settings.authenticate === undefined ? unlessItFails(ticket, prove) : prove());
  if (account === null || account.disabled) return refuse(deps, { candidate, account }, caller);
  const onStart = async (trx: Deps["db"]) => {
    await ticket.takeBack(trx);
    await deps.limiter.rememberDevice(trx, [name.key], caller.address);
  };
  return unlessItFails(ticket, () => startSession(deps, account, { caller, amr: ["pwd"], scope, onStart }));
}

async function refuse(
  deps: Deps,
  { candidate, account }: { candidate: AccountRow | null; account: Account | null },
  caller: Caller,
): Promise<never> {
  const accountId = account?.id ?? candidate?.id ?? null;
  const details = account === null ? {} : { disabled: true };
  deps.tally.count("sign_in_failed");
  await recordAudit(deps, deps.db, { kind: "sign_in_failed", accountId, details }, caller);
  throw new AuthError(account === null ? "INVALID_CREDENTIALS" : "ACCOUNT_DISABLED");
}
