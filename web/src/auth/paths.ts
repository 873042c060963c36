import { defaultReturnPath } from "@countersign/shared";
import type { AuthPage } from "./page.ts";

/** The address of a page that goes on to `returnTo`. */
export function pathOf(name: AuthPage["name"], returnTo: string): string {
  return returnTo === defaultReturnPath ? `/${name}` : `/${name}?${new URLSearchParams({ return_to: returnTo })}`;
}
