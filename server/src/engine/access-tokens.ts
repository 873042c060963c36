/** Access tokens as the server makes and checks them. */
import type { Principal } from "@countersign/shared";
import { type AccessTokenGrant, goodUntil, signAccessToken, verifyAccessToken } from "../crypto/access-token.ts";
import { BoundedCache } from "../crypto/bounded-cache.ts";
import { deriveKey, type Secrets } from "../crypto/sealing.ts";
import { type EncryptionKey, importEncryptionKey } from "../crypto/signing-key.ts";
import type { Now, RandomBytes } from "../deps.ts";
import type { KeyRing } from "./key-ring.ts";

export interface AccessTokensOptions {
  readonly keys: KeyRing;
  readonly now: Now;
  readonly randomBytes: RandomBytes;
  /** The master secrets: encrypted tokens have a key derived from the first, or from one that is accepted. */
  readonly secrets: Secrets;
  readonly issuer: string;
  readonly audience: string;
  readonly accessTtlSeconds: number;
  readonly clockToleranceSeconds: number;
  /** Encrypts tokens too (a JWE around the JWT). Encrypted ones are read in any case. Default is false. */
  readonly encrypt?: boolean;
  /** The most verified tokens that are remembered. Default is 10,000. */
  readonly cacheSize?: number;
}

export interface IssuedAccessToken {
  /** Under way: a database can be asked meanwhile. */
  readonly accessToken: Promise<string>;
  readonly expiresAt: Date;
}

export interface AccessTokens {
  /**
   * Signs an access token with the key that signs now.
   *
   * @throws TypeError for an application's claim with a registered name, and for claims that make the token too long: at
   *   once, and not by the promise.
   */
  issue(grant: AccessTokenGrant): IssuedAccessToken;
  /**
   * What a token proves: at once where it was verified before, else a promise. Whether that is still true is the feed's
   * to say.
   *
   * @param at The time, for whoever knows it already.
   * @throws AuthError `TOKEN_INVALID` or `TOKEN_EXPIRED`; `UNAVAILABLE` for an unknown key while the database is gone.
   */
  verify(token: string, at?: number): Principal | Promise<Principal>;
}

/** Puts the key ring, the settings and the cache of verified tokens together. */
export function createAccessTokens(options: AccessTokensOptions): AccessTokens {
  const { keys, now, randomBytes, issuer, audience, accessTtlSeconds, clockToleranceSeconds } = options;
  let verified = new BoundedCache<Principal>(options.cacheSize);
  // A new cache, not an emptied one: a verification that is under way must not put its token into it.
  keys.onRemoved(() => {
    verified = new BoundedCache<Principal>(options.cacheSize);
  });
  const limits = { clockToleranceSeconds, maxAgeSeconds: accessTtlSeconds };

  let encryptionKeys: Promise<[EncryptionKey, ...EncryptionKey[]]> | undefined;
  const openEncryptionKeys = () => (encryptionKeys ??= importEncryptionKeys(options.secrets));

  async function verifyAnew(token: string): Promise<Principal> {
    const cache = verified;
    const principal = await verifyAccessToken(token, {
      ...limits,
      keyFor: keys.keyFor,
      issuer,
      audience,
      now,
      decryptionKeys: await openEncryptionKeys(),
    });
    cache.set(token, principal, goodUntil(principal, limits));
    return principal;
  }

  return {
    issue(grant) {
      const issuedAt = Math.floor(now() / 1_000);
      const expiresAt = issuedAt + accessTtlSeconds;
      const accessToken = signAccessToken(keys.current(), grant, {
        issuer,
        audience,
        jti: Buffer.from(randomBytes(16)).toString("base64url"),
        issuedAt,
        expiresAt,
        encryptionKey: options.encrypt ? openEncryptionKeys().then(([first]) => first) : null,
      });
      // Whoever waits for it hears of a failure. Where the database failed meanwhile, nobody does.
      accessToken.catch(() => {});
      return { accessToken, expiresAt: new Date(expiresAt * 1_000) };
    },

    // A token in the cache passed every check of form when it came in: the key is the whole token.
    verify: (token, at = now()) => verified.get(token, at) ?? verifyAnew(token),
  };
}

async function importEncryptionKeys([current, ...accepted]: Secrets): Promise<[EncryptionKey, ...EncryptionKey[]]> {
  const open = (secret: Uint8Array) => importEncryptionKey(deriveKey(secret, "access token encryption", 32));
  return [await open(current), ...(await Promise.all(accepted.map(open)))];
}
