/** The only file that reads the environment. All mistakes are reported at once. */
import { isIP } from "node:net";
import { dirname, join } from "node:path";
import { z } from "zod";
import { type SigningAlgorithm, signingAlgorithms } from "./crypto/signing-key.ts";
import type { Log } from "./deps.ts";
import { EnvironmentError } from "./environment-error.ts";
import { parseTrustedProxies } from "./http/caller.ts";
import { isOrigin } from "./http/origins.ts";
import { type Accent, accentIn } from "./http/pages/theme.ts";
import { createLog, logLevels } from "./log.ts";
import { decodeSecret, keepDevelopmentSecret, newSecret, secretRule } from "./master-secret.ts";
import { isIssuer, issuerRule } from "./options.ts";
import type { Database } from "./store/database.ts";
import { postgres } from "./store/postgres.ts";
import { sqlite } from "./store/sqlite.ts";

/** What the environment says, typed. What it leaves out is absent from `auth`, so that `createAuth`'s defaults hold. */
export interface Environment {
  /** Options for `createAuth`: spread them, and add what only code can say. */
  readonly auth: {
    readonly database: Database;
    /** Writes to standard output what `LOG_LEVEL` lets through: short lines for people, JSON lines in production. */
    readonly log: Log;
    /** A function where the secret is kept in a file: reading the environment makes none. */
    readonly secret: string | (() => string);
    readonly acceptedSecrets?: readonly string[];
    readonly issuer: string;
    readonly audience?: string;
    readonly algorithm?: SigningAlgorithm;
    readonly accessTtlSeconds?: number;
    readonly refreshTtlSeconds?: number;
    readonly registration?: "open" | "closed";
  };
  /** Options for `createApp`. */
  readonly app: {
    readonly origins: readonly string[];
    readonly trustedProxies: readonly string[];
    readonly pages: { readonly name?: string; readonly accent?: Accent };
  };
  /** What `serve` takes. */
  readonly listen: { readonly port: number; readonly host: string };
  /** Whether `NODE_ENV` is `production`. */
  readonly production: boolean;
  /** Whether a person reads what the process writes: on a terminal, and outside of production. */
  readonly forPeople: boolean;
  /** Sentences for the operator: what works, and may not be what was meant. */
  readonly notes: readonly string[];
}

/** Where the master secret comes from: the environment, or the file that development keeps it in (`null`: memory). */
export type SecretSource = { readonly value: string } | { readonly file: string | null };

/** An {@link Environment} whose secret nobody has asked for yet. */
export type EnvironmentWithoutSecret = Omit<Environment, "auth"> & {
  readonly auth: Omit<Environment["auth"], "secret">;
  readonly secret: SecretSource;
};

/**
 * Reads the environment variables of Countersign. A `.env` file is not read; an empty variable counts as absent.
 *
 * Outside of production, where `COUNTERSIGN_SECRET` is not set, the first start makes a secret and keeps it beside the
 * database's file with mode 0600.
 *
 * @throws {EnvironmentError} naming every variable that is wrong.
 *
 * @example
 * ```ts
 * const environment = readEnvironment();
 * export const auth = createAuth({ ...environment.auth, scopes: { "notes:write": "Write your notes" } });
 * ```
 */
export function readEnvironment(env: NodeJS.ProcessEnv = process.env): Environment {
  const { environment, mistakes } = parse(env);
  const { NODE_ENV, COUNTERSIGN_SECRET } = given(env);
  const secretIsMissing = NODE_ENV === "production" && COUNTERSIGN_SECRET === undefined;
  if (environment === null || secretIsMissing) {
    throw new EnvironmentError(secretIsMissing ? [...mistakes, secretRequired] : mistakes);
  }
  const { auth, secret, notes, ...rest } = environment;
  return {
    ...rest,
    auth: { ...auth, secret: "value" in secret ? secret.value : () => keepSecret(secret.file) },
    notes: [...notes, ...notesOnSecret(secret)],
  };
}

/**
 * Reads the environment without needing or making a secret: for what only looks at the database's tables.
 *
 * @throws {EnvironmentError} naming every variable that is wrong.
 */
export function readEnvironmentWithoutSecret(env: NodeJS.ProcessEnv = process.env): EnvironmentWithoutSecret {
  const { environment, mistakes } = parse(env);
  if (environment === null) throw new EnvironmentError(mistakes);
  return environment;
}

/** What another program of ours is started with, to do on a database what this one would on its own. */
export function environmentFor(databaseUrl: string): NodeJS.ProcessEnv {
  return { ...process.env, DATABASE_URL: databaseUrl };
}

const defaultDatabase = "file:./data/countersign.db";
const inMemory = ":memory:";
const day = 86_400;

const secretRequired = `COUNTERSIGN_SECRET must be set when NODE_ENV is production: ${secretRule}`;

const Variables = z.object({
  PORT: z
    .string()
    .regex(/^\d{1,5}$/)
    .transform(Number)
    .refine((port) => port <= 65_535)
    .default(3000),
  HOST: z
    .string()
    .refine((host) => isIP(host) !== 0 || /^(?!-)[a-z\d.-]{1,253}$/i.test(host))
    .default("127.0.0.1"),
  DATABASE_URL: z
    .string()
    .default(defaultDatabase)
    .transform((location, issues) => {
      try {
        return /^postgres(ql)?:/i.test(location) ? postgres(location) : sqlite(location);
      } catch {
        issues.addIssue({ code: "custom" });
        return z.NEVER;
      }
    }),
  COUNTERSIGN_SECRET: z
    .string()
    .refine((text) => decodeSecret(text) !== null)
    .optional(),
  COUNTERSIGN_ACCEPTED_SECRETS: list((text) => decodeSecret(text) !== null),
  COUNTERSIGN_ISSUER: z.string().refine(isIssuer).optional(),
  COUNTERSIGN_AUDIENCE: z.string().optional(),
  COUNTERSIGN_ALG: z.enum(signingAlgorithms).optional(),
  COUNTERSIGN_ACCESS_TTL: duration(day).optional(),
  COUNTERSIGN_REFRESH_TTL: duration(365 * day).optional(),
  COUNTERSIGN_REGISTRATION: z.enum(["open", "closed"]).optional(),
  COUNTERSIGN_ORIGINS: list(isOrigin),
  COUNTERSIGN_TRUSTED_PROXIES: list(isProxy),
  COUNTERSIGN_NAME: z
    .string()
    .regex(/^\P{Cc}{1,100}$/u)
    .optional(),
  COUNTERSIGN_ACCENT: z
    .string()
    .transform((text, issues) => {
      const accent = accentIn(text);
      if (accent !== null) return accent;
      issues.addIssue({ code: "custom" });
      return z.NEVER;
    })
    .optional(),
  LOG_LEVEL: z.enum(logLevels).default("info"),
  // "prod" would quietly be development, with a secret that this machine made up.
  NODE_ENV: z
    .string()
    .refine((value) => value === "production" || !/^prod/i.test(value))
    .default("development"),
});

type Name = keyof typeof Variables.shape;

const expected: Readonly<Record<Name, string>> = {
  PORT: "a whole number from 0 to 65535",
  HOST: "an IP address or a host name of this machine, as in 127.0.0.1 or 0.0.0.0",
  DATABASE_URL: `a file, as in ${defaultDatabase}, or as in postgres://user:password@host:5432/name`,
  COUNTERSIGN_SECRET: secretRule,
  COUNTERSIGN_ACCEPTED_SECRETS: `secrets separated by commas, each ${secretRule}`,
  COUNTERSIGN_ISSUER: issuerRule,
  COUNTERSIGN_AUDIENCE: "the name of the service that tokens are for",
  COUNTERSIGN_ALG: oneOf(signingAlgorithms),
  COUNTERSIGN_ACCESS_TTL: "a duration from 1s to 24h, as in 90s, 15m or 12h",
  COUNTERSIGN_REFRESH_TTL: "a duration from 1s to 365d, as in 12h or 30d",
  COUNTERSIGN_REGISTRATION: oneOf(["open", "closed"]),
  COUNTERSIGN_ORIGINS: "origins separated by commas, as in https://app.example.com, without a path or a trailing slash",
  COUNTERSIGN_TRUSTED_PROXIES: "IP addresses or CIDR ranges separated by commas, as in 10.0.0.0/8",
  COUNTERSIGN_NAME: "what the pages call this server, in one line of at most 100 characters",
  COUNTERSIGN_ACCENT:
    "two colours that can be read, on white and on #1d2128 (a contrast of 4.5 or more, WCAG 2.2), as in #1a5ab8,#8ab4f8",
  LOG_LEVEL: oneOf(logLevels),
  NODE_ENV: 'exactly "production", or something else',
};

type Values = z.output<typeof Variables>;

function parse(env: NodeJS.ProcessEnv): {
  readonly environment: EnvironmentWithoutSecret | null;
  readonly mistakes: readonly string[];
} {
  const variables = given(env);
  const { data, error } = Variables.safeParse(variables);
  if (data === undefined) {
    const names = new Set(error.issues.map(({ path }) => path[0] as Name));
    return { environment: null, mistakes: [...names].map((name) => `${name} must be ${expected[name]}`) };
  }
  const { COUNTERSIGN_ACCESS_TTL: access = 900, COUNTERSIGN_REFRESH_TTL: refresh = 30 * day } = data;
  if (access > refresh) {
    return { environment: null, mistakes: ["COUNTERSIGN_ACCESS_TTL must not exceed COUNTERSIGN_REFRESH_TTL"] };
  }
  return { environment: toEnvironment(data, env), mistakes: [] };
}

/** What is set to something. White space around a value is never meant: files and shells leave it behind. */
function given(env: NodeJS.ProcessEnv): Partial<Record<string, string>> {
  const trimmed = Object.entries(env).map(([name, value = ""]) => [name, value.trim()] as const);
  return Object.fromEntries(trimmed.filter(([, value]) => value !== ""));
}

function toEnvironment(values: Values, env: NodeJS.ProcessEnv): EnvironmentWithoutSecret {
  const {
    COUNTERSIGN_ACCEPTED_SECRETS: acceptedSecrets,
    COUNTERSIGN_AUDIENCE: audience,
    COUNTERSIGN_ALG: algorithm,
    COUNTERSIGN_ACCESS_TTL: accessTtlSeconds,
    COUNTERSIGN_REFRESH_TTL: refreshTtlSeconds,
    COUNTERSIGN_REGISTRATION: registration,
    COUNTERSIGN_NAME: name,
    COUNTERSIGN_ACCENT: accent,
  } = values;
  const production = values.NODE_ENV === "production";
  // Whoever runs it in production collects JSON lines; everyone else is a person who has just typed a command.
  const forPeople = process.stdout.isTTY === true || !production;
  return {
    auth: {
      database: values.DATABASE_URL,
      log: createLog({ level: values.LOG_LEVEL, forPeople }),
      issuer: values.COUNTERSIGN_ISSUER ?? `http://localhost:${values.PORT}`,
      ...(acceptedSecrets.length > 0 && { acceptedSecrets }),
      ...(audience !== undefined && { audience }),
      ...(algorithm !== undefined && { algorithm }),
      ...(accessTtlSeconds !== undefined && { accessTtlSeconds }),
      ...(refreshTtlSeconds !== undefined && { refreshTtlSeconds }),
      ...(registration !== undefined && { registration }),
    },
    secret: secretSource(values),
    app: {
      origins: values.COUNTERSIGN_ORIGINS,
      trustedProxies: values.COUNTERSIGN_TRUSTED_PROXIES,
      pages: { ...(name !== undefined && { name }), ...(accent !== undefined && { accent }) },
    },
    listen: { port: values.PORT, host: values.HOST },
    production,
    forPeople,
    notes: notesOn(values, env),
  };
}

function notesOn(values: Values, env: NodeJS.ProcessEnv): string[] {
  const unknown = Object.keys(env).filter((name) => name.startsWith("COUNTERSIGN_") && !Object.hasOwn(expected, name));
  const known = Object.keys(expected).filter((name) => name.startsWith("COUNTERSIGN_"));
  const notes = unknown.map(
    (name) => `${name} means nothing to this version. Was one of these meant: ${known.join(", ")}?`,
  );
  if (values.NODE_ENV === "production" && values.COUNTERSIGN_ISSUER === undefined) {
    notes.push(
      `COUNTERSIGN_ISSUER is not set, so tokens say that http://localhost:${values.PORT} made them. Set it to the URL that clients use.`,
    );
  }
  if (values.DATABASE_URL.location === inMemory) {
    notes.push("The database is in memory: everything in it is gone when the process ends.");
  }
  return notes;
}

function notesOnSecret(source: SecretSource): string[] {
  if ("value" in source || source.file === null) return [];
  return [`COUNTERSIGN_SECRET is not set, so the secret was made for development. It is kept in ${source.file}.`];
}

function secretSource({ COUNTERSIGN_SECRET: value, DATABASE_URL: { dialect, location } }: Values): SecretSource {
  if (value !== undefined) return { value };
  if (location === inMemory) return { file: null };
  const besides = dialect === "sqlite" ? location : sqlite(defaultDatabase).location;
  return { file: join(dirname(besides), "countersign.secret") };
}

function keepSecret(file: string | null): string {
  if (file === null) return newSecret();
  try {
    return keepDevelopmentSecret(file);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? ` (${cause.code})` : "";
    const what = `COUNTERSIGN_SECRET is not set, and the file ${file} cannot keep one for development${code}`;
    throw new EnvironmentError([`${what}: let this process write there, delete a damaged file, or set the variable`], {
      cause,
    });
  }
}

function isProxy(text: string): boolean {
  try {
    return parseTrustedProxies([text]).length === 1;
  } catch {
    return false;
  }
}

function list(isEntry: (text: string) => boolean) {
  return z
    .string()
    .transform((text) => text.split(",").map((entry) => entry.trim()))
    .refine((entries) => entries.every(isEntry))
    .default([]);
}

/** Seconds. */
function duration(maxSeconds: number) {
  const seconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: day };
  return z
    .string()
    .regex(/^\d{1,9}[smhd]$/)
    .transform((text) => Number(text.slice(0, -1)) * (seconds[text.slice(-1)] ?? 0))
    .refine((value) => value >= 1 && value <= maxSeconds);
}

function oneOf(names: readonly string[]): string {
  return `one of ${names.join(", ")}`;
}
