/** The process's log: pino, with every name that could hold a secret blacked out as a second line of defence. */
import pino, { type Logger } from "pino";
import { describeError } from "./failure.ts";

/** Values of `LOG_LEVEL`: each logs itself and what is graver. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

/** Where a log goes. */
export interface LogOptions {
  readonly level: (typeof logLevels)[number];
  /** Short lines, instead of JSON. */
  readonly forPeople: boolean;
  /** Default: standard output. */
  readonly to?: NodeJS.WriteStream & { readonly fd: number };
}

const secretNames = new Set([
  "authorization",
  "cookie",
  "set-cookie",
  "password",
  "currentPassword",
  "newPassword",
  "password_hash",
  "token",
  "accessToken",
  "refreshToken",
  "access_token",
  "refresh_token",
  "secret",
  "sealed_key",
  "salt",
]);

/** Makes the log. It writes at once, so that nothing is lost when the process ends. */
export function createLog({ level, forPeople, to = process.stdout }: LogOptions): Logger {
  const destination = forPeople
    ? { write: (line: string) => void to.write(lineForPeople(line)) }
    : pino.destination({ dest: to.fd, sync: true });
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }), log: blackOut },
    serializers: { err: describeError, error: describeError },
  };
  return pino(options, destination);
}

/** Not pino's own `redact`: for this many names, wherever they are, it takes ten times as long as the line itself. */
function blackOut(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, shown(name, value)]));
}

function shown(name: string, value: unknown): unknown {
  if (secretNames.has(name)) return "[redacted]";
  if (Array.isArray(value)) return value.map((entry) => shown("", entry));
  const isPlain = typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  return isPlain ? blackOut(value) : value;
}

/** What goes wrong, on standard error: for an application that gave no log of its own. */
export function createDefaultLog(): Logger {
  return createLog({ level: "warn", forPeople: process.stderr.isTTY === true, to: process.stderr });
}

function lineForPeople(line: string): string {
  const { level, time, msg, err, ...fields } = JSON.parse(line);
  const details = Object.entries(fields).map(([name, value]) => `${name}=${plain(value)}`);
  const clock = new Date(time).toLocaleTimeString("en-GB");
  const places = err?.stack?.map((place: string) => `\n    ${place}`) ?? [];
  const error = err ? [`(${err.message ?? err.code ?? err.type})`, ...places] : [];
  return `${[clock, level.padEnd(5), msg, ...details].join(" ")}${error.join("")}\n`;
}

function plain(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
