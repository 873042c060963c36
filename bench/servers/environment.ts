/** What a server under test is told. */
import { env } from "node:process";

export const environment = {
  port: Number(env.PORT),
  databaseUrl: env.DATABASE_URL ?? "",
  /** How many access tokens are made at the start. */
  tokens: Number(env.TOKENS ?? 1),
  /** What the bare server answers, as JSON: `{ headers, body }`. */
  reply: env.REPLY ?? "{}",
};
