/** What the document of the app entry says: who asked for it, and how they want it. */
import type { SignedInSession } from "@countersign/shared/schemas";
import * as z from "zod/mini";
import { Appearance } from "../shared/appearance.ts";

export const AppPage = z.extend(Appearance, {
  /** As `auth.session` answers, with its times as JSON has them. */
  session: z.object({
    id: z.custom<SignedInSession["id"]>((id) => typeof id === "string"),
    user: z.object({
      id: z.custom<SignedInSession["user"]["id"]>((id) => typeof id === "string"),
      username: z.string(),
      email: z.nullable(z.string()),
      roles: z.array(z.string()),
    }),
    scopes: z.array(z.string()),
    authTime: z.string(),
    expiresAt: z.string(),
  }),
  minPasswordLength: z.number(),
  /** The roles that an account can have. */
  roles: z.array(z.string()),
});
export type AppPage = z.infer<typeof AppPage>;
