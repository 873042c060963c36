import type { SecurityEvent } from "@countersign/shared/schemas";
import { useLingui } from "@lingui/react/macro";

/** What happened, as a sentence that can be read alone. */
export function EventSentence({
  event,
}: {
  readonly event: Pick<SecurityEvent, "kind" | "byAdministrator" | "details">;
}) {
  const say = useEventSentences();
  return <>{say(event)}</>;
}

/** The name of each kind, for a list to choose from; the sentence of an event says more. */
export function useEventSentences() {
  const { t } = useLingui();

  return function say({
    kind,
    byAdministrator = false,
    details = {},
  }: { readonly kind: SecurityEvent["kind"] } & Partial<Pick<SecurityEvent, "byAdministrator" | "details">>): string {
    switch (kind) {
      case "account_registered":
        return t`Signed up`;
      case "account_created":
        return t`The account was made by an administrator`;
      case "accounts_imported":
        return t`The account was imported`;
      case "set_up":
        return t`The server was set up`;
      case "account_disabled":
        return t`The account was disabled`;
      case "account_enabled":
        return t`The account was enabled`;
      case "account_removed":
        return t`The account was deleted`;
      case "deletion_requested":
        return t`The deletion of the account was asked for`;
      case "deletion_cancelled":
        return t`The account is kept`;
      case "profile_changed":
        return t`The username or the e-mail address was changed`;
      case "roles_changed":
        return t`The roles were changed by an administrator`;
      case "password_changed":
        return byAdministrator ? t`The password was changed by an administrator` : t`The password was changed`;
      case "password_reset":
        return t`A temporary password was made by an administrator`;
      case "sign_in":
        return t`Signed in`;
      case "sign_in_failed":
        return t`A sign-in failed`;
      case "session_revoked":
        return sessionSentence(byAdministrator, details.reason);
      case "refresh_reused":
        return t`An old token was used again, so a device was signed out for safety`;
      case "key_rotated":
        return t`A signing key was made`;
      case "other":
        return t`Something that this version of the page does not know`;
    }
  };

  function sessionSentence(byAdministrator: boolean, reason: unknown): string {
    if (byAdministrator) return t`A device was signed out by an administrator`;
    switch (reason) {
      case "replaced":
        return t`A sign-in was replaced by a newer one on the same device`;
      case "too_many_sessions":
        return t`A device was signed out, as there were too many`;
      default:
        return t`A device was signed out`;
    }
  }
}
