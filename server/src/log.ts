/** The process's log: pino, with every name that could hold a secret blacked out as a second line of defence. */
import pino, { type Logger } from "pino";
import type { Environment } from "./environment.ts";
import { describeError } from "./failure.ts";

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

/**
 * Makes the log. It writes at once to standard output, so that nothing is lost when the process ends: JSON lines, or
 * short lines `forPeople`.
 */
export function createLog({ level, forPeople }: { level: Environment["logLevel"]; forPeople: boolean }): Logger {
  const destination = forPeople ? { write: writeForPeople } : pino.destination({ dest: 1, sync: true });
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

function writeForPeople(line: string): void {
  const { level, time, msg, err, ...fields } = JSON.parse(line);
  const details = Object.entries(fields).map(([name, value]) => `${name}=${plain(value)}`);
  const clock = new Date(time).toLocaleTimeString("en-GB");
  const places = err?.stack?.map((place: string) => `\n    ${place}`) ?? [];
  const error = err ? [`(${err.message ?? err.code ?? err.type})`, ...places] : [];
  process.stdout.write(`${[clock, level.padEnd(5), msg, ...details].join(" ")}${error.join("")}\n`);
}

function plain(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
