import { AuthError } from "@countersign/shared";
import { adminRole, type Settings } from "../../options.ts";

/** Checks that roles are declared. @throws {AuthError} `BAD_REQUEST` */
export function checkRoles(settings: Settings, roles: readonly string[]): void {
  const declared = [adminRole, ...Object.keys(settings.roles)];
  const index = roles.findIndex((role) => !declared.includes(role));
  if (index === -1) return;
  const message = `"roles" must be of: ${declared.map((role) => `"${role}"`).join(", ")}`;
  throw new AuthError("BAD_REQUEST", { issues: [{ path: ["roles", index], message }] }, message);
}
