/**
 * Access tokens (RFC 9068): how they are signed, and every check that they must pass. The server and the verifier share
 * this file, so it runs on any JavaScript runtime.
 */
import { AuthError, type Principal } from "@countersign/shared";
import type { AccountId, SessionId } from "@countersign/shared/schemas";
import { base64url, CompactEncrypt, compactDecrypt, compactVerify } from "jose";
import { isCanonicalBase64url } from "./base64url.ts";
import type { EncryptionKey, SigningKey, VerificationKey } from "./signing-key.ts";

/** What an access token says of the sign-in that it comes from. */
export interface AccessTokenGrant {
  readonly accountId: AccountId;
  readonly username: string;
  readonly sessionId: SessionId;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  /** The account's version. */
  readonly version: number;
  /** When the person last proved who they are: epoch milliseconds. */
  readonly authTime: number;
  /** How they proved it (RFC 8176). */
  readonly amr: readonly string[];
  /** The application's own claims. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

export interface SignAccessTokenOptions {
  readonly issuer: string;
  readonly audience: string;
  /** A unique id of the token. */
  readonly jti: string;
  /** Seconds since the epoch. */
  readonly issuedAt: number;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  /** Encrypts the signed token too, for the holders of this key. */
  readonly encryptionKey?: EncryptionKey | Promise<EncryptionKey> | null;
}

export interface VerifyAccessTokenOptions {
  /** The key of a `kid`; `null` when there is none. What it throws, verification throws. */
  readonly keyFor: (kid: string) => VerificationKey | null | Promise<VerificationKey | null>;
  /** What `iss` must be, exactly. */
  readonly issuer: string;
  /** What `aud` must be, or have among its members, exactly. */
  readonly audience: string;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** How far apart the clocks of issuer and verifier may be. */
  readonly clockToleranceSeconds: number;
  /** The greatest age since `iat`, whatever `exp` says. Default is none. */
  readonly maxAgeSeconds?: number;
  /** The keys of encrypted tokens. Without any, they are refused. */
  readonly decryptionKeys?: readonly EncryptionKey[];
}

/** The longest token that is looked at. */
export const maxTokenLength = 8_192;

const tokenType = "at+jwt";

/** Claims with a meaning of their own. An application's claims must have other names. */
export const registeredClaims: ReadonlySet<string> = new Set([
  // RFC 7519 §4.1, and the claims of an access token (RFC 9068 §2.2)
  ...["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "auth_time", "acr", "amr", "scope", "roles"],
  // ours
  ...["sid", "ver", "preferred_username"],
  // names that other specifications give a meaning to: delegation, proof of possession, OpenID Connect, security events
  ...["act", "may_act", "cnf", "azp", "nonce", "at_hash", "c_hash", "groups", "entitlements", "authorization_details"],
  ...["events", "toe", "txn", "sub_id"],
]);

/**
 * Signs an access token, and encrypts it where there is a key for that.
 *
 * @throws TypeError for an application's claim with a registered name, and for claims that make the token too long: at once,
 *   and not by the promise, so that something else can be done while it is signed.
 */
export function signAccessToken(
  key: SigningKey,
  grant: AccessTokenGrant,
  options: SignAccessTokenOptions,
): Promise<string> {
  const payload = {
    ...ownClaims(grant.claims ?? {}),
    iss: options.issuer,
    aud: options.audience,
    sub: grant.accountId,
    client_id: grant.clientId,
    sid: grant.sessionId,
    jti: options.jti,
    iat: options.issuedAt,
    exp: options.expiresAt,
    auth_time: Math.floor(grant.authTime / 1_000),
    amr: grant.amr,
    scope: grant.scopes.join(" "),
    roles: grant.roles,
    ver: grant.version,
    preferred_username: grant.username,
  };
  const text = JSON.stringify(payload);
  const { encryptionKey = null } = options;
  const length = lengthOf(text, { key, isEncrypted: encryptionKey !== null });
  if (length > maxTokenLength) {
    throw new TypeError(`the claims make an access token of ${length} characters; ${maxTokenLength} are the most`);
  }
  const signed = key.sign(tokenType, text);
  return encryptionKey === null ? signed : encrypt(signed, encryptionKey);
}

/** How long a token will be: what is signed or encrypted is as long as it was. */
function lengthOf(payload: string, { key, isEncrypted }: { key: SigningKey; isEncrypted: boolean }): number {
  const header = JSON.stringify({ alg: key.algorithm, kid: key.kid, typ: tokenType });
  const bytes = new TextEncoder().encode(payload);
  const parts = [header.length, bytes.length, key.signatureLength].map(base64urlLength);
  const signed = parts.reduce((sum, part) => sum + part + 1, -1);
  if (!isEncrypted) return signed;
  // RFC 7516 §7.1 without an encrypted key; an A256GCM vector has 12 bytes, and a tag 16. A key is named by its thumbprint.
  const protectedHeader = JSON.stringify(encryptionHeader("x".repeat(43)));
  return [protectedHeader.length, 0, 12, signed, 16].map(base64urlLength).reduce((sum, part) => sum + part + 1, -1);
}

const base64urlLength = (bytes: number) => Math.ceil((bytes * 4) / 3);

/**
 * Verifies an access token: its form, its header, its signature, then its claims.
 *
 * @throws AuthError `TOKEN_EXPIRED` for a token that is good but for its time, `TOKEN_INVALID` for every other; and what
 * `keyFor` throws.
 * @see RFC 9068 §4, RFC 8725 §3
 */
export async function verifyAccessToken(token: string, options: VerifyAccessTokenOptions): Promise<Principal> {
  if (typeof token !== "string" || token.length > maxTokenLength) throw invalid();
  const segments = token.split(".");
  const signed = segments.length === 5 ? await decrypt(token, segments, options.decryptionKeys ?? []) : token;
  const { payload, keyHeader } = parseSigned(signed);
  const key = await options.keyFor(keyHeader.kid);
  // The key decides how a token is signed. A token that could decide would choose "none", or a public key as a secret.
  if (key === null || key.algorithm !== keyHeader.alg) throw invalid();
  await checkSignature(signed, key);
  return readPrincipal(payload, options);
}

/** When a verified token stops being good: epoch milliseconds. */
export function goodUntil(
  { issuedAt, expiresAt }: Principal,
  options: Pick<VerifyAccessTokenOptions, "clockToleranceSeconds" | "maxAgeSeconds">,
): number {
  const { clockToleranceSeconds, maxAgeSeconds = Number.POSITIVE_INFINITY } = options;
  const oldest = issuedAt.getTime() + maxAgeSeconds * 1_000;
  return Math.min(expiresAt.getTime(), oldest) + clockToleranceSeconds * 1_000;
}

type Members = ReadonlyMap<string, unknown>;

function parseSigned(signed: string): { payload: string; keyHeader: { kid: string; alg: string } } {
  const [header = "", payload = "", signature = "", ...more] = signed.split(".");
  if (more.length > 0 || ![header, payload, signature].every(isSegment)) throw invalid();
  const members = parseObject(decode(header));
  const alg = members.get("alg");
  const kid = members.get("kid");
  if (typeof alg !== "string" || typeof kid !== "string") throw invalid();
  // RFC 7515 §4.1.11: an extension that is not understood must be refused, and none is. And what gives the same signed bytes
  // another meaning elsewhere: RFC 7797 §7 has no JWT with a payload that is not encoded, and a JWS knows no `zip`.
  if (["crit", "b64", "zip"].some((name) => members.has(name))) throw invalid();
  if (!isTokenType(members.get("typ"))) throw invalid();
  return { payload, keyHeader: { kid, alg } };
}

/** RFC 7515 §4.1.9: a media type without regard to case, and `application/` may be left out. */
function isTokenType(typ: unknown): boolean {
  if (typeof typ !== "string") return false;
  const name = typ.toLowerCase();
  return name === tokenType || name === `application/${tokenType}`;
}

async function checkSignature(signed: string, key: VerificationKey): Promise<void> {
  try {
    await compactVerify(signed, key.key);
  } catch {
    // jose's message may hold parts of the token.
    throw invalid();
  }
}

async function encrypt(
  signed: Promise<string>,
  encryptionKey: EncryptionKey | Promise<EncryptionKey>,
): Promise<string> {
  const [token, { kid, key }] = await Promise.all([signed, encryptionKey]);
  return new CompactEncrypt(new TextEncoder().encode(token)).setProtectedHeader(encryptionHeader(kid)).encrypt(key);
}

function encryptionHeader(kid: string) {
  return { alg: "dir", enc: "A256GCM", kid, cty: "JWT" };
}

async function decrypt(token: string, segments: readonly string[], keys: readonly EncryptionKey[]): Promise<string> {
  // The second segment is an encrypted key. With `dir` there is none (RFC 7518 §4.5): jose refuses one.
  const [header = "", , ...others] = segments;
  if (![header, ...others].every(isSegment)) throw invalid();
  const members = parseObject(decode(header));
  const key = keys.find(({ kid }) => kid === members.get("kid"));
  if (key === undefined || members.get("alg") !== "dir") throw invalid();
  if (members.get("cty") !== "JWT" || members.has("zip")) throw invalid();
  try {
    // jose refuses every `crit`, and every `enc` but that of the key.
    const { plaintext } = await compactDecrypt(token, key.key);
    return utf8.decode(plaintext);
  } catch {
    throw invalid();
  }
}

function readPrincipal(payload: string, options: VerifyAccessTokenOptions): Principal {
  const claims = parseObject(decode(payload));
  if (claims.get("iss") !== options.issuer) throw otherClaim("iss", options.issuer, claims.get("iss"));
  if (!isFor(claims.get("aud"), options.audience)) throw otherClaim("aud", options.audience, claims.get("aud"));

  const issuedAt = numericDate(claims.get("iat"));
  const expiresAt = numericDate(claims.get("exp"));
  const authTime = numericDate(claims.get("auth_time"));
  const notBefore = claims.has("nbf") ? numericDate(claims.get("nbf")) : 0;
  text(claims.get("jti"));
  if (claims.has("acr")) text(claims.get("acr"));

  const now = options.now();
  const tolerance = options.clockToleranceSeconds;
  const latest = now / 1_000 + tolerance;
  if (expiresAt <= issuedAt || authTime > issuedAt + tolerance) throw invalid();
  if (issuedAt > latest || notBefore > latest) throw invalid();

  const principal: Principal = {
    accountId: text(claims.get("sub"), 128) as AccountId,
    username: text(claims.get("preferred_username")),
    sessionId: uuid(claims.get("sid")),
    clientId: text(claims.get("client_id")),
    scopes: scopeNames(claims.get("scope")),
    roles: textList(claims.get("roles")),
    authTime: new Date(authTime * 1_000),
    amr: textList(claims.get("amr")),
    version: counter(claims.get("ver")),
    issuedAt: new Date(issuedAt * 1_000),
    expiresAt: new Date(expiresAt * 1_000),
    claims: applicationClaims(claims),
  };
  // Last, so that only a token that is good otherwise is called expired: a client refreshes then.
  if (now >= goodUntil(principal, options)) throw new AuthError("TOKEN_EXPIRED");
  return Object.freeze(principal);
}

function isFor(aud: unknown, audience: string): boolean {
  return Array.isArray(aud) ? aud.every(isText) && aud.includes(audience) : aud === audience;
}

/** The application's own claims: an object without a prototype, so that no name in it means anything to JavaScript. */
function applicationClaims(claims: Members): Record<string, unknown> {
  const own: Record<string, unknown> = Object.create(null);
  for (const [name, value] of claims) if (isApplicationClaim(name)) own[name] = value;
  return deepFreeze(own);
}

function ownClaims(claims: Readonly<Record<string, unknown>>): Record<string, unknown> {
  for (const name of Object.keys(claims)) {
    if (!isApplicationClaim(name)) {
      throw new TypeError(`"claims" must not have "${name}": that name has a meaning of its own in an access token`);
    }
  }
  return claims;
}

/** What is copied member by member gets a prototype from `__proto__`, so that is nobody's. */
function isApplicationClaim(name: string): boolean {
  return !registeredClaims.has(name) && name !== "__proto__";
}

/** The principal may be shared by every request with the same token: one must not change what the next one sees. */
function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const member of Object.values(value)) deepFreeze(member);
    Object.freeze(value);
  }
  return value;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function isSegment(segment: string): boolean {
  return segment !== "" && isCanonicalBase64url(segment);
}

function decode(segment: string): string {
  try {
    return utf8.decode(base64url.decode(segment));
  } catch {
    throw invalid();
  }
}

/**
 * The members of a JSON object, as a map: no name in it reaches a prototype. Of two members with the same name the last
 * one counts, as RFC 7519 §4 allows.
 */
function parseObject(json: string): Members {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw invalid();
  }
  if (typeof value !== "object" || value === null) throw invalid();
  return new Map(Object.entries(value));
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.isWellFormed();
}

function text(value: unknown, longest = Number.POSITIVE_INFINITY): string {
  if (!isText(value) || value === "" || value.length > longest) throw invalid();
  return value;
}

function textList(value: unknown): readonly string[] {
  if (!Array.isArray(value) || !value.every(isText)) throw invalid();
  return Object.freeze(value);
}

function uuid(value: unknown): SessionId {
  const id = text(value);
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) throw invalid();
  return id as SessionId;
}

/** RFC 6749 §3.3. The empty text has no scope in it. */
function scopeNames(value: unknown): readonly string[] {
  if (value === "") return Object.freeze([]);
  const names = text(value).split(" ");
  if (!names.every((name) => /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(name))) throw invalid();
  return Object.freeze(names);
}

/** RFC 7519 §2: seconds since the epoch, not necessarily whole; within what a `Date` can hold. */
function numericDate(value: unknown): number {
  if (typeof value !== "number" || !(value >= 0 && value <= 8.64e12)) throw invalid();
  return value;
}

function counter(value: unknown): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw invalid();
  return value;
}

/**
 * A claim that is the issuer's word, since the signature is good, and not what this side was told to expect: a mistake in
 * a configuration, more often than a forgery. The cause is for the developer, and no caller sees it.
 */
function otherClaim(name: "iss" | "aud", expected: string, got: unknown): AuthError {
  const found = got === undefined ? "none" : JSON.stringify(got).slice(0, 200);
  const cause = new Error(`"${name}" of the access token differs: expected ${JSON.stringify(expected)}, got ${found}`);
  return new AuthError("TOKEN_INVALID", undefined, undefined, { cause });
}

function invalid(): AuthError {
  return new AuthError("TOKEN_INVALID");
}
