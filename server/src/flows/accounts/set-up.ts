import { AuthError } from "@countersign/shared";
import type { SetUpInput } from "@countersign/shared/schemas";
import { isSetupCode } from "../../crypto/setup-code.ts";
import type { Caller, Db, Deps } from "../../deps.ts";
import { adminRole } from "../../options.ts";
import { hasAccounts } from "../../store/accounts.ts";
import type { StartedSession } from "../sessions/issue-tokens.ts";
import { refuseIfApplicationOwnsAccounts } from "./application-owns-accounts.ts";
import { createAccount } from "./create-account.ts";
import { startFirstSession } from "./start-first-session.ts";

/** Whether the first account is still to be made. */
export async function isToBeSetUp(deps: Deps): Promise<boolean> {
  return deps.settings.authenticate === undefined && !(await hasAccounts(deps.db));
}

/**
 * Makes the first account, an administrator's, for whoever has the code that the server printed, and signs it in.
 *
 * @throws {AuthError} `REGISTRATION_CLOSED` once there is an account, `INVALID_CREDENTIALS` for another code, `RATE_LIMITED`,
 *   `WEAK_PASSWORD`, `BUSY`
 */
export async function setUp(deps: Deps, input: SetUpInput, caller: Caller): Promise<StartedSession> {
  refuseIfApplicationOwnsAccounts(deps.settings);
  await refuseIfSetUp(deps.db);
  await deps.limiter.takeRegistration(caller.address);
  if (!isSetupCode(input.code, deps.setupCode))
    throw new AuthError("INVALID_CREDENTIALS", undefined, "The code is wrong.");
  const { code: _, ...wanted } = input;
  const account = await createAccount(
    deps,
    { ...wanted, roles: [adminRole] },
    // Once more, together with the account: of two at once, one is the first.
    { caller, audit: { kind: "set_up" }, check: refuseIfSetUp },
  );
  return startFirstSession(deps, account, caller);
}

async function refuseIfSetUp(db: Db): Promise<void> {
  if (await hasAccounts(db))
    throw new AuthError("REGISTRATION_CLOSED", undefined, "This server is set up already. Sign in instead.");
}
