import { AuthError } from "@countersign/shared";
import type { Settings } from "../../options.ts";

/**
 * The scopes that a token gets: what the account may have, narrowed to what was asked for.
 *
 * A scope that some role grants is had only through a role; every other declared scope is everyone's. Asking for a
 * declared scope that the account may not have is no error (RFC 6749 §3.3): the reply says what was granted.
 */
export function grantScopes(settings: Settings, roles: readonly string[], requested: string): string[] {
  const granted = new Set(roles.flatMap((role) => roleScopes(settings, role)));
  const reserved = new Set(Object.values(settings.roles).flatMap(({ scopes }) => scopes));
  const wanted = requested === "" ? null : new Set(requested.split(" "));
  return Object.keys(settings.scopes).filter(
    (scope) => (granted.has(scope) || !reserved.has(scope)) && (wanted === null || wanted.has(scope)),
  );
}

/** @throws {AuthError} `BAD_REQUEST` when a scope is asked for that does not exist (`invalid_scope`, RFC 6749 §5.2). */
export function checkRequestedScope(settings: Settings, requested: string): void {
  if (requested === "") return;
  const unknown = requested.split(" ").filter((scope) => !Object.hasOwn(settings.scopes, scope));
  if (unknown.length === 0) return;
  const message = `"scope" may have: ${Object.keys(settings.scopes).join(" ") || "nothing, as no scope is declared"}`;
  throw new AuthError("BAD_REQUEST", { issues: [{ path: ["scope"], message }] }, message);
}

function roleScopes(settings: Settings, role: string): readonly string[] {
  return Object.hasOwn(settings.roles, role) ? (settings.roles[role]?.scopes ?? []) : [];
}
