/** How other systems write their accounts down, as what `importAccounts` takes. */
import { z } from "zod";

/** Of a system's record: an account, for the schema to check. */
export type ReadForeign = (record: unknown) => unknown;

/** What Firebase says of its hashes beside the accounts (Authentication, Users, Password hash parameters). */
export interface FirebaseParameters {
  readonly signerKey?: string | undefined;
  readonly saltSeparator: string;
  readonly rounds: number;
  readonly memCost: number;
}

/** What `--from` takes. */
export const sources = ["countersign", "better-auth", "authjs", "supabase", "firebase", "keycloak", "passlib"] as const;
export type Source = (typeof sources)[number];

export function readerOf(source: Source, firebase: FirebaseParameters): ReadForeign {
  const readers: Record<Source, ReadForeign> = {
    countersign: (record) => record,
    "better-auth": readBetterAuth,
    authjs: readAuthJs,
    supabase: readSupabase,
    firebase: (record) => readFirebase(record, firebase),
    keycloak: readKeycloak,
    passlib: readPasslib,
  };
  return readers[source];
}

/** A user, with the `password` of their account of the provider "credential". */
function readBetterAuth(record: unknown): unknown {
  const Row = z.object({
    email: z.string(),
    username: z.string().nullish(),
    password: z.string().nullish(),
    banned: z.boolean().nullish(),
    createdAt: z.unknown().optional(),
  });
  const { password, banned, ...row } = Row.parse(record);
  const [salt, key] = password?.split(":") ?? [];
  // The salt is the text of its hex, and not what the hex means.
  const hash = salt && key && `$scrypt$ln=14,r=16,p=1$${base64(Buffer.from(salt))}$${base64(Buffer.from(key, "hex"))}`;
  return { ...row, passwordHash: hash ?? null, disabled: banned ?? false };
}

/** Auth.js keeps no password: whoever has one put it into a column of their own, as bcrypt or argon2. */
function readAuthJs(record: unknown): unknown {
  const Row = z.object({
    email: z.string(),
    name: z.string().nullish(),
    password: z.string().nullish(),
    passwordHash: z.string().nullish(),
  });
  const { email, password, passwordHash } = Row.parse(record);
  return { email, passwordHash: passwordHash ?? password };
}

/** A row of `auth.users`. */
function readSupabase(record: unknown): unknown {
  const Row = z.object({
    email: z.string(),
    encrypted_password: z.string().nullish(),
    banned_until: z.coerce.date().nullish(),
    created_at: z.unknown().optional(),
  });
  const { email, encrypted_password: hash, banned_until: until, created_at: createdAt } = Row.parse(record);
  return { email, passwordHash: hash || null, disabled: until !== null && until !== undefined, createdAt };
}

/** A user of `firebase auth:export users.json`. */
function readFirebase(record: unknown, parameters: FirebaseParameters): unknown {
  const Row = z.object({
    email: z.string(),
    passwordHash: z.string().nullish(),
    salt: z.string().nullish(),
    disabled: z.boolean().nullish(),
    createdAt: z.string().nullish(),
  });
  const { email, passwordHash, salt, disabled, createdAt } = Row.parse(record);
  return {
    email,
    passwordHash: passwordHash && salt ? firebaseHash(passwordHash, salt, parameters) : null,
    disabled: disabled ?? false,
    createdAt: createdAt ? new Date(Number(createdAt)) : null,
  };
}

function firebaseHash(hash: string, salt: string, parameters: FirebaseParameters): string {
  const { signerKey, saltSeparator, rounds, memCost } = parameters;
  if (signerKey === undefined) throw new Error("--firebase-signer-key is missing");
  const whole = Buffer.concat([Buffer.from(salt, "base64"), Buffer.from(saltSeparator, "base64")]);
  const parts = [whole, Buffer.from(signerKey, "base64"), Buffer.from(hash, "base64")].map(base64);
  return `$firebase-scrypt$ln=${memCost},r=${rounds}$${parts.join("$")}`;
}

/** A user of a realm's export. */
function readKeycloak(record: unknown): unknown {
  const Row = z.object({
    username: z.string(),
    email: z.string().nullish(),
    enabled: z.boolean().default(true),
    createdTimestamp: z.number().nullish(),
    credentials: z
      .array(z.object({ type: z.string(), credentialData: z.string(), secretData: z.string() }))
      .default([]),
  });
  const { username, email, enabled, createdTimestamp, credentials } = Row.parse(record);
  const password = credentials.find(({ type }) => type === "password");
  return {
    // Keycloak takes an e-mail address for a username.
    ...(username.includes("@") ? { email: email ?? username } : { username, email }),
    passwordHash: password === undefined ? null : keycloakHash(password),
    disabled: !enabled,
    createdAt: createdTimestamp ? new Date(createdTimestamp) : null,
  };
}

const KeycloakData = z.object({
  algorithm: z.string(),
  hashIterations: z.number(),
  additionalParameters: z.record(z.string(), z.array(z.string())).default({}),
});
const KeycloakSecret = z.object({ value: z.string(), salt: z.string() });

function keycloakHash(credential: { readonly credentialData: string; readonly secretData: string }): string {
  const { algorithm, hashIterations, additionalParameters } = KeycloakData.parse(JSON.parse(credential.credentialData));
  const secret = KeycloakSecret.parse(JSON.parse(credential.secretData));
  const [salt, hash] = [secret.salt, secret.value].map((text) => base64(Buffer.from(text, "base64")));
  if (algorithm !== "argon2") return `$${algorithm}$${hashIterations}$${salt}$${hash}`;
  const { type: [type = "id"] = [], memory: [memory] = [], parallelism: [parallelism] = [] } = additionalParameters;
  return `$argon2${type}$v=19$m=${memory},t=${hashIterations},p=${parallelism}$${salt}$${hash}`;
}

/** What applications on FastAPI's tutorial keep. */
function readPasslib(record: unknown): unknown {
  const Row = z.object({
    username: z.string(),
    email: z.string().nullish(),
    hashed_password: z.string().nullish(),
    disabled: z.boolean().nullish(),
  });
  const { username, email, hashed_password: passwordHash, disabled } = Row.parse(record);
  return { username, email, passwordHash, disabled: disabled ?? false };
}

/** As PHC strings have it: without padding. */
function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64").replace(/=+$/, "");
}
