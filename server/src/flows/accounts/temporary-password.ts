import type { AccountRef, TemporaryPassword } from "@countersign/shared/schemas";
import type { Deps } from "../../deps.ts";
import type { Administrator } from "./administer.ts";
import { applyAccountChange } from "./change-account.ts";

/** Long enough for a weekend. */
const lifetimeMs = 3 * 86_400_000;

/** None that is taken for another when it is read out: a power of two of them, so that each is as likely. */
const letters = "abcdefghjkmnpqrstuvwxyz023456789";
const groups = 4;
const lettersAGroup = 5;

/**
 * Gives an account a password that ends, for its owner to be told, and ends all its sessions. It is shown once: here.
 *
 * @throws {AuthError} `NOT_FOUND`, `BUSY`
 */
export async function setTemporaryPassword(
  deps: Deps,
  { id }: AccountRef,
  by: Administrator,
): Promise<TemporaryPassword> {
  const password = makePassword(deps.randomBytes);
  const passwordHash = await deps.hasher.hash(password);
  const expiresAt = deps.now() + lifetimeMs;
  await applyAccountChange(deps, id, {
    set: { password_hash: passwordHash, password_expires_at: expiresAt },
    revoke: { selection: { accountId: id }, reason: "password_changed" },
    audit: { kind: "password_reset", actorId: by.actorId },
    caller: by.caller,
  });
  return { password, expiresAt: new Date(expiresAt) };
}

/** A hundred random bits, in groups that can be read out. */
function makePassword(randomBytes: Deps["randomBytes"]): string {
  const bytes = [...randomBytes(groups * lettersAGroup)].map((byte) => letters[byte % letters.length]);
  return Array.from({ length: groups }, (_, group) =>
    bytes.slice(group * lettersAGroup, (group + 1) * lettersAGroup).join(""),
  ).join("-");
}
