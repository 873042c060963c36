/** Where the pages lead to outside of themselves. */

/** What a confirmation is asked for: the page that asks says so. */
export type Purpose = "profile" | "deletion" | "accounts" | "keys";

/** The page that asks for the password once more, and leads back to here. */
export function reauthPath(purpose: Purpose): string {
  return `/reauth?${new URLSearchParams({ for: purpose, return_to: location.pathname + location.search })}`;
}
