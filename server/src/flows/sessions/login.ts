import { AuthError } from "@countersign/shared";
import type { LoginInput, SignedIn } from "@countersign/shared/schemas";
import type { Caller, Deps } from "../../deps.ts";
import type { LoginTicket } from "../../engine/limiter.ts";
import { authenticate, findCandidate } from "../accounts/authenticate.ts";
import { recordAudit } from "../audit.ts";
import { checkRequestedScope } from "./grant-scopes.ts";
import { startSession } from "./start-session.ts";

/**
 * Signs in with a username or an e-mail address, and a password.
 *
 * @throws {AuthError} `RATE_LIMITED`, `INVALID_CREDENTIALS` (which never tells whether the account exists),
 *   `ACCOUNT_DISABLED` (only with the right password), `BUSY`, or `BAD_REQUEST` for an unknown scope.
 */
export async function login(deps: Deps, input: LoginInput, caller: Caller): Promise<SignedIn> {
  checkRequestedScope(deps.settings, input.scope ?? "");
  const candidate = await findCandidate(deps, input.username);
  // Counted before the hash, so that a batch of 500 guesses counts 500.
  const ticket = await deps.limiter.takeLogin(candidate.limitKey, caller.address);
  const account = await authenticate(deps, candidate, input).catch((error: unknown) => takeBackIfBusy(error, ticket));
  if (account === null) {
    await recordAudit(deps, deps.db, { kind: "sign_in_failed" }, caller);
    throw new AuthError("INVALID_CREDENTIALS");
  }
  if (account.disabled) {
    await recordAudit(
      deps,
      deps.db,
      { kind: "sign_in_failed", accountId: account.id, details: { disabled: true } },
      caller,
    );
    throw new AuthError("ACCOUNT_DISABLED");
  }
  return startSession(deps, account, { caller, amr: ["pwd"], scope: input.scope ?? "", ticket });
}

/** Whoever was turned away without a look at their password has not guessed. */
async function takeBackIfBusy(error: unknown, ticket: LoginTicket): Promise<never> {
  if (error instanceof AuthError && error.reason === "BUSY") await ticket.takeBack();
  throw error;
}
