/** What an account is found by: its username and its e-mail address, each with its unique key. */
import { AuthError } from "@countersign/shared";
import { UniqueViolation } from "../../store/unique-violation.ts";
import { emailKey, usernameKey } from "./normalise.ts";

export function usernameColumns(username: string) {
  return { username, username_key: usernameKey(username) };
}

export function emailColumns(email: string | null) {
  return { email, email_key: email === null ? null : emailKey(email) };
}

/** `USERNAME_TAKEN` or `EMAIL_TAKEN` where a row could not be written for that; every other error as it is. */
export function refusalOfTaken(error: unknown): unknown {
  if (!(error instanceof UniqueViolation)) return error;
  return new AuthError(error.column === "email_key" ? "EMAIL_TAKEN" : "USERNAME_TAKEN");
}
