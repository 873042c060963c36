/** Fields that more than one schema has. */
import { z } from "zod";

/** An account's id: a UUIDv7, or the application's own id where `authenticate` replaces our accounts. */
export const AccountId = z.string().min(1).max(128).brand("AccountId");
export type AccountId = z.infer<typeof AccountId>;

/** A session's id: a UUIDv7. */
export const SessionId = z.uuid().brand("SessionId");
export type SessionId = z.infer<typeof SessionId>;

/** Letters and digits of any script, and `.`, `_`, `-` between them; no `@`, so that it is never mistaken for an e-mail address. */
export const Username = z
  .string()
  .normalize("NFC")
  .min(2, '"username" must have at least 2 characters')
  .max(64, '"username" must have at most 64 characters')
  .regex(
    /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}._-]*[\p{L}\p{M}\p{N}])?$/u,
    '"username" may have letters and digits, with ".", "_" and "-" between them',
  );

/** An e-mail address. */
export const Email = z.email('"email" must be an e-mail address').max(254, '"email" must have at most 254 characters');

/** The longest password that is read (code points). NIST SP 800-63B-4 §3.1.1.2 asks for at least 64. */
export const maxPasswordLength = 1_024;

/** A password as it arrives. The policy of the server decides whether it may be set. */
export const Password = z
  .string()
  .min(1, '"password" must not be empty')
  .refine((password) => password.isWellFormed(), '"password" must be valid Unicode')
  .refine(
    (password) => [...password].length <= maxPasswordLength,
    `"password" must have at most ${maxPasswordLength} characters`,
  );

const scopeCharacter = String.raw`[\x21\x23-\x5B\x5D-\x7E]`;

/** The name of a scope (RFC 6749 §3.3). */
export const ScopeName = z
  .string()
  .regex(new RegExp(`^${scopeCharacter}+$`), "a scope has printable ASCII only, and no space");

/** Scopes separated by spaces, as RFC 6749 §3.3 writes them. */
export const ScopeString = z
  .string()
  .max(2_048)
  .regex(
    new RegExp(`^${scopeCharacter}*(?: ${scopeCharacter}+)*$`),
    '"scope" must be scopes separated by single spaces',
  );

/** The name of a role. */
export const Role = z.string().min(1).max(64);

/** A page of a longer list: `cursor` from the page before, `limit` rows (1 to 100; default 50). */
export const PageInput = z.strictObject({
  // A username of 64 characters can have a normal form of more than a thousand.
  cursor: z.string().max(2_000).optional(),
  limit: z.int().min(1).max(100).default(50),
  /** What tRPC's infinite queries say. There is no way back. */
  direction: z.literal("forward").optional(),
});
