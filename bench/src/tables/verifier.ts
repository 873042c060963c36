/** A verifier alone, as another service has it. */
import type { JsonWebKeySet } from "@countersign/server/verifier";
import { type Bench, inTurns, type Outcome } from "../bench.ts";
import { startScript } from "../script.ts";
import { figureOf, inDigits, withSpread } from "../statistics.ts";
import { startOurs } from "../systems.ts";

interface Figures {
  readonly first: number;
  readonly again: number;
  readonly jose: number;
}

export async function verifier(bench: Bench): Promise<Outcome> {
  await using issuer = await startOurs(bench, { name: "verifier", tokens: bench.isQuick ? 200 : 1_000 });
  const jwks = (await (await fetch(`${issuer.url}/.well-known/jwks.json`)).json()) as JsonWebKeySet;
  await using script = await startScript<{ tokens: readonly string[]; jwks: JsonWebKeySet }, Figures>("verify");
  const work = { verify: () => script.run({ tokens: issuer.tokens, jwks }) };
  await inTurns(2, work);
  const { verify } = await inTurns(bench.rounds, work);
  const row = (name: string, key: keyof Figures) => {
    const cost = figureOf(verify.map((figures) => figures[key]));
    return [name, withSpread(cost), inDigits(1e6 / cost.median)];
  };
  return {
    ratios: [],
    table: {
      title: "A verifier alone",
      text: "`createVerifier` in another service, EdDSA: a token at first sight, and again; and `jose`, which looks at each as if for the first time.",
      head: ["what", "µs a token", "tokens/s"],
      rows: [row("first sight", "first"), row("again", "again"), row("jose.jwtVerify", "jose")],
    },
  };
}
