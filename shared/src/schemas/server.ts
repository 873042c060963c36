/** The server itself, as its administrators see it. */
import { z } from "zod";

/** How much was done in each hour of the last days. Hours without anything are left out. */
export const ActivityInput = z.strictObject({ days: z.int().min(1).max(90).default(30) }).prefault({});
export type ActivityInput = z.infer<typeof ActivityInput>;

export const HourOfActivity = z.object({
  /** When the hour began. */
  at: z.date(),
  signIns: z.int(),
  failedSignIns: z.int(),
  refreshes: z.int(),
});
export type HourOfActivity = z.infer<typeof HourOfActivity>;

/** A signing key: nothing secret. */
export const SigningKey = z.object({
  kid: z.string(),
  algorithm: z.string(),
  status: z.enum(["next", "current", "former"]),
  createdAt: z.date(),
  /** Signs from this time on. */
  activatesAt: z.date(),
  /** When the last token that it signed has expired; `null` as long as no other key follows. */
  endsAt: z.date().nullable(),
});
export type SigningKey = z.infer<typeof SigningKey>;

export const RotateKeyInput = z
  .strictObject({
    /** Sign with the new key at once, instead of publishing it ten minutes before. Default: `false`. */
    immediately: z.boolean().default(false),
    /** The keys so far are known to somebody else: forget them, with every access token that they signed. Default: `false`. */
    compromised: z.boolean().default(false),
  })
  .prefault({});
export type RotateKeyInput = z.infer<typeof RotateKeyInput>;

/** How the node that answers is doing. */
export const Health = z.object({
  version: z.string(),
  startedAt: z.date(),
  database: z.object({
    dialect: z.enum(["sqlite", "postgres"]),
    /** How long a write took, in milliseconds; `null` when it failed. */
    writeMs: z.number().nullable(),
  }),
  feed: z.object({
    /** How long ago it was last read, in milliseconds. */
    ageMs: z.number(),
    isStale: z.boolean(),
    /** Subscriptions of signed-in callers that are open on this node. */
    subscriptions: z.int(),
  }),
  /** Password hashes that run or wait on this node. */
  hashes: z.int(),
});
export type Health = z.infer<typeof Health>;
