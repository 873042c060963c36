/** Accounts that are going to be deleted, passwords that end, and how much was done in each hour. */
import type { Migration } from "./migration.ts";

export const accountLife: Migration = {
  id: 2,
  name: "account-life",
  requires: 0,
  // Of the accounts columns alone: an index on them would be made while nobody can sign in.
  statements: (schema, { text, integer, time, uuid, finish }) => [
    schema.alterTable("accounts").addColumn("password_expires_at", time),
    schema.alterTable("accounts").addColumn("temporary_hash", text),
    finish(
      schema
        .createTable("account_deletions")
        .addColumn("account_id", uuid, (column) => column.primaryKey().notNull())
        .addColumn("delete_at", time, (column) => column.notNull()),
    ),
    schema.createIndex("account_deletions_delete_at").on("account_deletions").column("delete_at"),
    finish(
      schema
        .createTable("tallies")
        .addColumn("key", text, (column) => column.primaryKey().notNull())
        .addColumn("began_at", time, (column) => column.notNull())
        .addColumn("kind", text, (column) => column.notNull())
        .addColumn("count", integer, (column) => column.notNull()),
    ),
    schema.createIndex("tallies_began_at").on("tallies").column("began_at"),
  ],
};
