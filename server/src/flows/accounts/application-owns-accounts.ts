import { AuthError } from "@countersign/shared";
import type { Settings } from "../../options.ts";

/** With `authenticate`, accounts are the application's: what would change them is closed. @throws {AuthError} `REGISTRATION_CLOSED` */
export function refuseIfApplicationOwnsAccounts(settings: Settings): void {
  if (settings.authenticate !== undefined) {
    throw new AuthError("REGISTRATION_CLOSED", undefined, "Accounts are kept by the application. Change them there.");
  }
}
