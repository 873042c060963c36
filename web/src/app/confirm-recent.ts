import { isAuthError } from "@countersign/client";
import type { Purpose } from "../shared/purposes.ts";
import { reauthPath } from "./paths.ts";

/**
 * Does what needs a recent sign-in. Where it is none, the page that asks for the password comes, and then this one again: what
 * was returned never resolves then.
 *
 * @param before Keeps what would be lost.
 */
export async function confirmRecent<T>(purpose: Purpose, work: () => Promise<T>, before = () => {}): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isAuthError(error) || error.data.reason !== "FRESH_LOGIN_REQUIRED") throw error;
    before();
    location.assign(reauthPath(purpose));
    return new Promise(() => {});
  }
}
