import { AuthError, type Principal } from "@countersign/shared";
import type { ChangePasswordInput, RevokedCount } from "@countersign/shared/schemas";
import type { Caller, Deps } from "../../deps.ts";
import { findAccountById } from "../../store/accounts.ts";
import { unlessItFails } from "../unless-it-fails.ts";
import { refuseIfApplicationOwnsAccounts } from "./application-owns-accounts.ts";
import { applyAccountChange } from "./change-account.ts";
import { checkPassword } from "./check-password.ts";
import { usableHash } from "./temporary-password.ts";

/**
 * Changes the password of the account that asks, and ends its other sessions. The session that asks stays.
 *
 * @throws {AuthError} `INVALID_CREDENTIALS` for a current password that is wrong or has ended, `RATE_LIMITED`, `WEAK_PASSWORD`, `BUSY`
 */
export async function changePassword(
  deps: Deps,
  input: ChangePasswordInput,
  { principal, caller }: { principal: Principal; caller: Caller },
): Promise<RevokedCount> {
  refuseIfApplicationOwnsAccounts(deps.settings);
  const account = await findAccountById(deps.db, principal.accountId);
  if (account === null) throw new AuthError("SESSION_REVOKED");
  // By session: whoever guesses elsewhere, or in a stolen session, must not keep the owner from changing the password.
  const ticket = await deps.limiter.takePasswordCheck(principal.sessionId);
  const matches = await unlessItFails(ticket, () =>
    deps.hasher.verify(input.currentPassword, usableHash(account, deps.now())),
  );
  if (!matches) throw new AuthError("INVALID_CREDENTIALS", undefined, "The current password is wrong, or has ended.");
  await ticket.takeBack();
  await checkPassword(deps.settings, input.newPassword, { username: account.username, field: "newPassword" });
  const revoked = await applyAccountChange(deps, account.id, {
    set: { password_hash: await deps.hasher.hash(input.newPassword), password_expires_at: null, temporary_hash: null },
    // While the passwords were hashed, an administrator may have set another: whoever knows the old one must not undo that.
    at: account.version,
    revoke: { selection: { accountId: account.id, except: principal.sessionId }, reason: "password_changed" },
    audit: { kind: "password_changed", sessionId: principal.sessionId },
    caller,
  });
  return { revoked };
}
