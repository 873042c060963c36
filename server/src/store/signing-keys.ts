/** The signing keys' table. The private part of a key is sealed before it comes here. */
import type { Db } from "../deps.ts";
import type { SigningKeyRow } from "./schema.ts";

/** Every key, in the order in which they sign. */
export async function listSigningKeys(db: Db): Promise<SigningKeyRow[]> {
  return db
    .selectFrom("signing_keys")
    .selectAll()
    .orderBy("activates_at")
    .orderBy("created_at")
    .orderBy("id")
    .execute();
}

export async function insertSigningKey(db: Db, row: SigningKeyRow): Promise<void> {
  await db.insertInto("signing_keys").values(row).execute();
}

/** The same key, sealed anew. */
export async function replaceSealedKey(db: Db, id: string, sealedKey: Uint8Array): Promise<void> {
  await db.updateTable("signing_keys").set({ sealed_key: sealedKey }).where("id", "=", id).execute();
}

/** Removes keys by id. */
export async function deleteSigningKeys(db: Db, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await db.deleteFrom("signing_keys").where("id", "in", ids).execute();
}
