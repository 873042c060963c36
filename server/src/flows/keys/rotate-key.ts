import type { AccountId } from "@countersign/shared/schemas";
import type { Caller, Deps } from "../../deps.ts";
import type { KeySummary } from "../../engine/key-ring.ts";
import { itself, recordAudit } from "../audit.ts";
import { seeOwnWrite } from "../see-own-write.ts";

/**
 * Makes the next signing key. It is published at once and signs after the lead, so that every verifier knows it by then;
 * `immediately` signs with it at once, and `compromised` forgets the keys before it, with all tokens that they signed.
 */
export async function rotateKey(
  deps: Deps,
  options: { readonly immediately?: boolean; readonly compromised?: boolean },
  by: { readonly actorId: AccountId | null; readonly caller: Caller },
): Promise<KeySummary> {
  const key = await deps.keys.rotate({
    ...options,
    within: (trx, { kid }) =>
      recordAudit(deps, trx, { kind: "key_rotated", actorId: by.actorId, details: { kid, ...options } }, by.caller),
  });
  await seeOwnWrite(deps);
  return key;
}

/** Makes the next signing key when the newest has reached its age. */
export async function rotateKeyIfDue(deps: Deps): Promise<void> {
  await deps.keys.rotateIfDue({
    within: (trx, { kid }) => recordAudit(deps, trx, { kind: "key_rotated", details: { kid } }, itself),
  });
}
