import { AuthError } from "@countersign/shared";
import type { AccountRef, TemporaryPassword } from "@countersign/shared/schemas";
import type { Deps } from "../../deps.ts";
import type { AccountRow } from "../../store/schema.ts";
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
 * @throws {AuthError} `NOT_FOUND`, `BUSY`, `BAD_REQUEST` for one's own account
 */
export async function setTemporaryPassword(
  deps: Deps,
  { id }: AccountRef,
  by: Administrator,
): Promise<TemporaryPassword> {
  // It would sign out whoever is to see it.
  if (id === by.actorId) throw new AuthError("BAD_REQUEST", { issues: [] }, "Change your own password yourself.");
  const password = makePassword(deps.randomBytes);
  const passwordHash = await deps.hasher.hash(password);
  const expiresAt = deps.now() + lifetimeMs;
  await applyAccountChange(deps, id, {
    set: { password_hash: passwordHash, password_expires_at: expiresAt, temporary_hash: passwordHash },
    revoke: { selection: { accountId: id }, reason: "password_changed" },
    audit: { kind: "password_reset", actorId: by.actorId },
    caller: by.caller,
  });
  return { password, expiresAt: new Date(expiresAt) };
}

/** Until when the password of an account is good; `null` for one of its owner's. */
export function temporaryUntil(row: Pick<AccountRow, "password_hash" | "password_expires_at" | "temporary_hash">) {
  return row.password_hash === row.temporary_hash ? row.password_expires_at : null;
}

/** The hash that a password is compared with: of a temporary password that has ended there is none. */
export function usableHash(row: AccountRow, now: number): string | null {
  const endsAt = temporaryUntil(row);
  return endsAt !== null && endsAt <= now ? null : row.password_hash;
}

/** A hundred random bits, in groups that can be read out. */
function makePassword(randomBytes: Deps["randomBytes"]): string {
  const bytes = [...randomBytes(groups * lettersAGroup)].map((byte) => letters[byte % letters.length]);
  return Array.from({ length: groups }, (_, group) =>
    bytes.slice(group * lettersAGroup, (group + 1) * lettersAGroup).join(""),
  ).join("-");
}
