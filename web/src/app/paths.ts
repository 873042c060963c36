/** Where the pages lead to outside of themselves. */
import type { Purpose } from "../shared/purposes.ts";

/** The page that asks for the password once more, and leads back to here. */
export function reauthPath(purpose: Purpose): string {
  return `/reauth?${new URLSearchParams({ for: purpose, return_to: location.pathname + location.search })}`;
}
