/**
 * The tables, as TypeScript sees them. One schema for both dialects: ids are text, times are epoch milliseconds,
 * lists are JSON text, keys and salts are bytes. What the database really has is compared with `catalogue.ts` at the start.
 */
import type { AccountId, SessionId } from "@countersign/shared/schemas";
import type { Generated, Insertable, Selectable } from "kysely";

/** A person or machine that can sign in. */
export interface AccountsTable {
  id: AccountId;
  /** As the person wrote it. */
  username: string;
  /** Normalised: unique. */
  username_key: string;
  email: string | null;
  /** Normalised: unique where present. */
  email_key: string | null;
  /** PHC string; `null` for an account that has no password. */
  password_hash: string | null;
  /** JSON array of role names. */
  roles: string;
  /** Goes up when roles change, the password changes or the account is disabled. */
  version: number;
  disabled_at: number | null;
  /** Until when the temporary password may be used; `null` for one of the owner's own. */
  password_expires_at: number | null;
  /** The hash that this is about: another one was chosen meanwhile, also where that is all that a release before knew to write. */
  temporary_hash: string | null;
  created_at: number;
  updated_at: number;
}

/** One sign-in on one device. Everything issued from it dies with it. */
export interface SessionsTable {
  id: SessionId;
  /** Of our `accounts`, or of the application's own users where `authenticate` is set: hence no foreign key. */
  account_id: AccountId;
  client_id: string;
  /** How often the refresh token was rotated. */
  generation: number;
  /** Random bytes that every refresh token of this session depends on, beside the secret. */
  salt: Uint8Array;
  /** Scopes granted at sign-in, separated by spaces. */
  scope: string;
  /** Authentication methods (RFC 8176), separated by spaces. */
  amr: string;
  /** When the person last proved who they are. */
  auth_time: number;
  created_at: number;
  rotated_at: number;
  /** The hash of what the client calls its last refresh; `null` where it said nothing. */
  rotated_by: string | null;
  /** Slides at every refresh, and never passes `ends_at`. */
  expires_at: number;
  /** The absolute end. */
  ends_at: number;
  revoked_at: number | null;
  /** Why it was revoked: `signed_out`, `reuse_detected`, `password_changed`, … */
  revoked_reason: string | null;
  address: string | null;
  user_agent: string | null;
}

/** The ordered list of "this is no longer true" facts that every node follows. */
export interface FeedEventsTable {
  id: Generated<number>;
  kind: "session_revoked" | "account_changed" | "keys_changed" | "moved";
  /** The session's or the account's id; the key's id for `keys_changed`; for `moved`, the database that is used now. */
  subject: string;
  /** For `account_changed`: tokens of an older version are no longer good. */
  version: number | null;
  created_at: number;
}

/** Signing keys. The private part is sealed with a key derived from the master secret. */
export interface SigningKeysTable {
  /** The `kid`. */
  id: string;
  algorithm: string;
  sealed_key: Uint8Array;
  created_at: number;
  /** Signs from this time on; published before. */
  activates_at: number;
}

/** Attempts counted in a window, and devices known to have signed in: survives a restart. */
export interface AttemptsTable {
  key: string;
  count: number;
  expires_at: number;
}

/** What happened, for people who ask later. Never a secret. */
export interface AuditEventsTable {
  id: string;
  at: number;
  kind: string;
  account_id: string | null;
  session_id: string | null;
  /** Who did it, where that is not the account itself. */
  actor_id: string | null;
  address: string | null;
  user_agent: string | null;
  request_id: string | null;
  /** JSON object. */
  details: string;
}

/** Whose account is going to be deleted, as its owner has asked. */
export interface AccountDeletionsTable {
  account_id: AccountId;
  delete_at: number;
}

/** How often something was done in an hour. */
export interface TalliesTable {
  /** The hour and the kind. */
  key: string;
  /** When it began. */
  began_at: number;
  kind: string;
  count: number;
}

/** All tables by name. */
export interface Tables {
  accounts: AccountsTable;
  sessions: SessionsTable;
  feed_events: FeedEventsTable;
  signing_keys: SigningKeysTable;
  attempts: AttemptsTable;
  audit_events: AuditEventsTable;
  account_deletions: AccountDeletionsTable;
  tallies: TalliesTable;
}

export type AccountRow = Selectable<AccountsTable>;
export type NewAccountRow = Insertable<AccountsTable>;
export type SessionRow = Selectable<SessionsTable>;
export type NewSessionRow = Insertable<SessionsTable>;
export type FeedEventRow = Selectable<FeedEventsTable>;
export type AuditEventRow = Selectable<AuditEventsTable>;
export type SigningKeyRow = Selectable<SigningKeysTable>;
