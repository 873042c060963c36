/** Sessions: signing in, staying signed in, signing out. */
import { z } from "zod";
import { User } from "./accounts.ts";
import { Password, ScopeString, SessionId } from "./fields.ts";

export const LoginInput = z.strictObject({
  /** A username or an e-mail address. No shape is asked for: a wrong one is answered like an unknown one. */
  username: z.string().min(1, '"username" must not be empty').max(254, '"username" must have at most 254 characters'),
  password: Password,
  /** The scopes wanted, separated by spaces. Default: all that the account may have. */
  scope: ScopeString.optional(),
});
export type LoginInput = z.infer<typeof LoginInput>;

/** What a sign-in gives, and every refresh after it. */
export const SignedIn = z.object({
  accessToken: z.string(),
  tokenType: z.literal("Bearer"),
  /** When the access token expires, by the server's clock. */
  expiresAt: z.date(),
  /** How many seconds that is from now, to the millisecond, for callers whose clock is wrong. */
  expiresIn: z.number(),
  refreshToken: z.string(),
  /** The scopes granted, separated by spaces. */
  scope: z.string(),
  user: User,
});
export type SignedIn = z.infer<typeof SignedIn>;

/**
 * A refresh token, and what the client calls this refresh: a secret of its own, the same at every try. Whoever says it again
 * gets the same reply again, however long the first one was lost.
 */
export const RefreshInput = z.strictObject({
  refreshToken: z.string().min(1).max(512),
  attempt: z.string().min(22).max(128).optional(),
});
export type RefreshInput = z.infer<typeof RefreshInput>;

/** A refresh token to end its session with; without one, the session of the access token ends. */
export const LogoutInput = z.strictObject({ refreshToken: z.string().min(1).max(512).optional() }).prefault({});
export type LogoutInput = z.infer<typeof LogoutInput>;

/** Who is signed in, and until when. */
export const SignedInSession = z.object({
  id: SessionId,
  user: User,
  scopes: z.array(z.string()),
  /** When the person last proved who they are. */
  authTime: z.date(),
  /** Until when what the caller sent is good: an access token expires, and a session that a cookie names ends. */
  expiresAt: z.date(),
});
export type SignedInSession = z.infer<typeof SignedInSession>;

/** The session of a caller; `null` for one who is not signed in. */
export const CurrentSession = SignedInSession.nullable();
export type CurrentSession = z.infer<typeof CurrentSession>;

/** One sign-in on one device. */
export const Session = z.object({
  id: SessionId,
  /** Whether this is the session that asks. */
  current: z.boolean(),
  createdAt: z.date(),
  lastUsedAt: z.date(),
  /** When it ends unless it is used before. */
  expiresAt: z.date(),
  address: z.string().nullable(),
  userAgent: z.string().nullable(),
});
export type Session = z.infer<typeof Session>;

/** Names one session. */
export const SessionRef = z.strictObject({ id: SessionId });
export type SessionRef = z.infer<typeof SessionRef>;

/** How many sessions were ended. */
export const RevokedCount = z.object({ revoked: z.int() });
export type RevokedCount = z.infer<typeof RevokedCount>;

/** Where to begin with the feed: after a position, or after the last event that came. Default: with all that matters. */
export const FeedInput = z
  .strictObject({
    after: z.int().min(0).optional(),
    lastEventId: z
      .string()
      .regex(/^\d{1,15}$/)
      .nullish(),
  })
  .prefault({});
export type FeedInput = z.infer<typeof FeedInput>;
