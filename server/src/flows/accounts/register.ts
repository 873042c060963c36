import { AuthError } from "@countersign/shared";
import type { RegisterInput } from "@countersign/shared/schemas";
import type { Caller, Deps } from "../../deps.ts";
import type { StartedSession } from "../sessions/issue-tokens.ts";
import { refuseIfApplicationOwnsAccounts } from "./application-owns-accounts.ts";
import { createAccount } from "./create-account.ts";
import { startFirstSession } from "./start-first-session.ts";

/**
 * Makes an account for a stranger, and signs it in.
 *
 * @throws {AuthError} `REGISTRATION_CLOSED`, `RATE_LIMITED`, `WEAK_PASSWORD`, `USERNAME_TAKEN`, `EMAIL_TAKEN`, `BUSY`
 */
export async function register(deps: Deps, input: RegisterInput, caller: Caller): Promise<StartedSession> {
  refuseIfApplicationOwnsAccounts(deps.settings);
  if (deps.settings.registration === "closed") throw new AuthError("REGISTRATION_CLOSED");
  await deps.limiter.takeRegistration(caller.address);
  const account = await createAccount(deps, { ...input, roles: [] }, { caller, audit: { kind: "account_registered" } });
  return startFirstSession(deps, account, caller);
}
