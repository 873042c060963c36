/** What happened: the security log of a person, and of all for administrators. */
import { z } from "zod";
import { auditKinds } from "../audit-kinds.ts";
import { AccountId, PageInput, SessionId } from "./fields.ts";

/** What the audit tells apart. */
export const AuditKind = z.enum(auditKinds);
export type AuditKind = z.infer<typeof AuditKind>;

/** One thing that happened to a person's own account. */
export const SecurityEvent = z.object({
  id: z.string(),
  at: z.date(),
  /** `"other"` for what a newer version of the server wrote. */
  kind: z.enum([...auditKinds, "other"]),
  sessionId: SessionId.nullable(),
  /** Whether somebody else did it: an administrator. */
  byAdministrator: z.boolean(),
  address: z.string().nullable(),
  userAgent: z.string().nullable(),
  /** What more there is to say, by kind: as `{ reason: "reuse_detected" }`. Never a secret. */
  details: z.record(z.string(), z.unknown()),
});
export type SecurityEvent = z.infer<typeof SecurityEvent>;

/** The same as administrators see it: whose it is, and who did it. */
export const AuditEvent = SecurityEvent.extend({
  account: z.object({ id: AccountId, username: z.string().nullable() }).nullable(),
  /** Who did it, where that is not the account itself. A username is `null` where there is no such account any more. */
  actor: z.object({ id: AccountId, username: z.string().nullable() }).nullable(),
  requestId: z.string().nullable(),
});
export type AuditEvent = z.infer<typeof AuditEvent>;

const Page = PageInput.extend({
  /** From the page before. */
  cursor: z
    .string()
    .regex(/^\d{1,14}\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, '"cursor" must be from the page before')
    .optional(),
  /** Only events of these kinds. Default: all. */
  kinds: z.array(AuditKind).min(1).max(auditKinds.length).optional(),
});

/** Events, the newest first. */
export const ListOwnEventsInput = Page.prefault({});
export type ListOwnEventsInput = z.infer<typeof ListOwnEventsInput>;

export const ListEventsInput = Page.extend({
  /** Only of this account. */
  accountId: AccountId.optional(),
  /** Only from before this time. */
  before: z.date().min(new Date(0)).max(new Date("9999-12-31")).optional(),
}).prefault({});
export type ListEventsInput = z.infer<typeof ListEventsInput>;

/**
 * A page of events. `nextCursor` is `null` on the last page. A page may have fewer than was asked for, and none, and yet not be
 * the last: of a rare kind only so many events are looked through at once.
 */
const pageOf = <Event extends z.ZodType>(event: Event) =>
  z.object({ events: z.array(event), nextCursor: z.string().nullable() });

export const SecurityEventPage = pageOf(SecurityEvent);
export type SecurityEventPage = z.infer<typeof SecurityEventPage>;

export const AuditEventPage = pageOf(AuditEvent);
export type AuditEventPage = z.infer<typeof AuditEventPage>;
