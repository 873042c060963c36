/** Accounts that are going to be deleted, passwords that end, and how much was done in each hour. */
import type { Migration } from "./migration.ts";

export const accountLife: Migration = {
  id: 2,
  name: "account-life",
  requires: 0,
  statements: (schema, { text, integer, time, finish }) => [
    schema.alterTable("accounts").addColumn("delete_at", time),
    schema.alterTable("accounts").addColumn("password_expires_at", time),
    // For the clean-up, which finds a few among millions.
    schema.createIndex("accounts_delete_at").on("accounts").column("delete_at").where("delete_at", "is not", null),
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
