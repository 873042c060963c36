/** The first tables. `schema.ts` says what the columns mean. */
import { type Compilable, type SchemaModule, sql } from "kysely";
import type { MigrationDialect } from "./dialect.ts";
import type { Migration } from "./migration.ts";

export const initial: Migration = {
  id: 1,
  name: "initial",
  requires: 0,
  statements: (schema, dialect) => [
    ...accounts(schema, dialect),
    ...sessions(schema, dialect),
    ...feedEvents(schema, dialect),
    ...signingKeys(schema, dialect),
    ...attempts(schema, dialect),
    ...auditEvents(schema, dialect),
  ],
};

// Pages and prefixes of `users.list` are ranges on the two unique indexes.
function accounts(
  schema: SchemaModule,
  { text, orderedText, integer, time, uuid, json, finish }: MigrationDialect,
): Compilable[] {
  const table = schema
    .createTable("accounts")
    .addColumn("id", uuid, (column) => column.primaryKey().notNull())
    .addColumn("username", text, (column) => column.notNull())
    .addColumn("username_key", orderedText, (column) => column.notNull())
    .addColumn("email", text)
    .addColumn("email_key", orderedText)
    .addColumn("password_hash", text)
    .addColumn("roles", json, (column) => column.notNull())
    .addColumn("version", integer, (column) => column.notNull())
    .addColumn("disabled_at", time)
    .addColumn("created_at", time, (column) => column.notNull())
    .addColumn("updated_at", time, (column) => column.notNull())
    .addCheckConstraint("accounts_username_key_not_empty", sql`username_key <> ''`)
    .addCheckConstraint("accounts_email_with_key", sql`(email is null) = (email_key is null)`)
    .addCheckConstraint("accounts_version_counts", sql`version >= 0`);
  return [
    finish(table),
    schema.createIndex("accounts_username_key").unique().on("accounts").column("username_key"),
    // Any number of rows without an address: NULLs are distinct in a unique index.
    schema.createIndex("accounts_email_key").unique().on("accounts").column("email_key"),
  ];
}

function sessions(schema: SchemaModule, { text, integer, time, uuid, bytes, finish }: MigrationDialect): Compilable[] {
  const table = schema
    .createTable("sessions")
    .addColumn("id", uuid, (column) => column.primaryKey().notNull())
    .addColumn("account_id", text, (column) => column.notNull())
    .addColumn("client_id", text, (column) => column.notNull())
    .addColumn("generation", integer, (column) => column.notNull())
    .addColumn("salt", bytes, (column) => column.notNull())
    .addColumn("scope", text, (column) => column.notNull())
    .addColumn("amr", text, (column) => column.notNull())
    .addColumn("auth_time", time, (column) => column.notNull())
    .addColumn("created_at", time, (column) => column.notNull())
    .addColumn("rotated_at", time, (column) => column.notNull())
    .addColumn("rotated_by", text)
    .addColumn("expires_at", time, (column) => column.notNull())
    .addColumn("ends_at", time, (column) => column.notNull())
    .addColumn("revoked_at", time)
    .addColumn("revoked_reason", text)
    .addColumn("address", text)
    .addColumn("user_agent", text)
    .addCheckConstraint("sessions_generation_counts", sql`generation >= 0`)
    // Without the salt, every refresh token of this session would follow from the secret alone.
    .addCheckConstraint("sessions_salt_long", sql`length(salt) >= 16`)
    .addCheckConstraint("sessions_expire_before_end", sql`expires_at <= ends_at`)
    .addCheckConstraint("sessions_revoked_with_reason", sql`(revoked_at is null) = (revoked_reason is null)`);
  return [
    finish(table),
    schema.createIndex("sessions_account_id").on("sessions").column("account_id"),
    // For the clean-up. None on `ends_at`: what has ended has expired, as the check above holds.
    schema.createIndex("sessions_expires_at").on("sessions").column("expires_at"),
  ];
}

function feedEvents(schema: SchemaModule, { text, integer, time, countedId, finish }: MigrationDialect): Compilable[] {
  // An id that came back after a clean-up would be behind every reader, and never read.
  const table = countedId(schema.createTable("feed_events"))
    .addColumn("kind", text, (column) => column.notNull())
    .addColumn("subject", text, (column) => column.notNull())
    .addColumn("version", integer)
    .addColumn("created_at", time, (column) => column.notNull());
  return [
    finish(table),
    schema.createIndex("feed_events_created_at").on("feed_events").column("created_at"),
    schema.createIndex("feed_events_subject").on("feed_events").column("subject"),
  ];
}

function signingKeys(schema: SchemaModule, { text, time, bytes, finish }: MigrationDialect): Compilable[] {
  const table = schema
    .createTable("signing_keys")
    .addColumn("id", text, (column) => column.primaryKey().notNull())
    .addColumn("algorithm", text, (column) => column.notNull())
    .addColumn("sealed_key", bytes, (column) => column.notNull())
    .addColumn("created_at", time, (column) => column.notNull())
    .addColumn("activates_at", time, (column) => column.notNull());
  return [finish(table)];
}

function attempts(schema: SchemaModule, { text, integer, time, finish }: MigrationDialect): Compilable[] {
  const table = schema
    .createTable("attempts")
    .addColumn("key", text, (column) => column.primaryKey().notNull())
    .addColumn("count", integer, (column) => column.notNull())
    .addColumn("expires_at", time, (column) => column.notNull())
    .addCheckConstraint("attempts_count_counts", sql`count >= 0`);
  return [finish(table), schema.createIndex("attempts_expires_at").on("attempts").column("expires_at")];
}

function auditEvents(schema: SchemaModule, { text, time, uuid, json, finish }: MigrationDialect): Compilable[] {
  const table = schema
    .createTable("audit_events")
    .addColumn("id", uuid, (column) => column.primaryKey().notNull())
    .addColumn("at", time, (column) => column.notNull())
    .addColumn("kind", text, (column) => column.notNull())
    .addColumn("account_id", text)
    .addColumn("session_id", uuid)
    .addColumn("actor_id", text)
    .addColumn("address", text)
    .addColumn("user_agent", text)
    .addColumn("request_id", text)
    .addColumn("details", json, (column) => column.notNull());
  return [
    finish(table),
    schema.createIndex("audit_events_at").on("audit_events").column("at"),
    schema.createIndex("audit_events_account_id_at").on("audit_events").columns(["account_id", "at"]),
  ];
}
