/** What a verifier takes for a token that it sees for the first time, and for one that it knows; and jose for any. */
import { createVerifier, type JsonWebKeySet } from "@countersign/server/verifier";
import { createLocalJWKSet, jwtVerify } from "jose";
import { answerJobs } from "./answer-jobs.ts";

interface Job {
  readonly tokens: readonly string[];
  readonly jwks: JsonWebKeySet;
}

const claims = { issuer: "https://auth.example", audience: "https://auth.example" };

/** Microseconds for each. */
async function costOf(tokens: readonly string[], work: (token: string) => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  for (const token of tokens) await work(token);
  return ((performance.now() - begun) * 1_000) / tokens.length;
}

answerJobs(async ({ tokens, jwks }: Job) => {
  const verifier = createVerifier({ ...claims, jwks });
  const keys = createLocalJWKSet({ keys: [...jwks.keys] });
  const verify = (token: string) => verifier.verify(token);
  return {
    first: await costOf(tokens, verify),
    again: await costOf(Array(20).fill(tokens).flat(), verify),
    jose: await costOf(tokens, (token) => jwtVerify(token, keys, { ...claims, typ: "at+jwt" })),
  };
});
