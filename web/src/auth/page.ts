/**
 * What a page of the auth entry is made of. The server renders it from this, and writes it into the document, so that the
 * browser makes the same of it.
 */
import { type Failure, isReason } from "@countersign/shared";
import * as z from "zod/mini";
import { Appearance } from "../shared/appearance.ts";
import { purposes } from "../shared/purposes.ts";

export const AuthPage = z.extend(Appearance, {
  name: z.enum(["sign-in", "sign-up", "setup", "reauth"]),
  /** A path of this server. */
  returnTo: z.string(),
  /** What was typed before, but for passwords. */
  values: z.object({ username: z.string(), email: z.string() }),
  /** Why the form that was sent did not do. */
  failure: z.nullable(z.custom<Failure>(isFailure)),
  isRegistrationOpen: z.boolean(),
  minPasswordLength: z.number(),
  /** Who is signed in already. */
  username: z.nullable(z.string()),
  /** What a confirmation is asked for. */
  purpose: z.nullable(z.enum(purposes)),
});
export type AuthPage = z.infer<typeof AuthPage>;

/** The server writes what it refuses with, and nothing else: its name says what its details are. */
function isFailure(value: unknown): boolean {
  return (
    typeof value === "object" && value !== null && "reason" in value && isReason(value.reason) && "details" in value
  );
}
