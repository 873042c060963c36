/** What every runtime does with the verifier. Bundled, and run by the runtime itself: nothing here is of Node.js. */
import { createVerifier, type VerifierOptions } from "@countersign/server/verifier";

/** What a runtime is given: a served issuer, and tokens of it. */
export interface Given {
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUri: string;
  readonly jwks: NonNullable<VerifierOptions["jwks"]>;
  readonly good: string;
  readonly encrypted: string;
  readonly decryptionKey: string;
  readonly tampered: string;
  readonly unknownKey: string;
}

/** What it found out: a username, or the reason of the refusal. */
export type Findings = Record<string, string>;

export async function run(given: Given): Promise<Findings> {
  const { issuer, audience, jwksUri, jwks, good, encrypted, decryptionKey, tampered, unknownKey } = given;
  const verifier = createVerifier({ issuer, audience, jwksUri });
  const decrypting = createVerifier({ issuer, audience, jwks, decryptionKey });
  const headers = new Headers({ authorization: `Bearer ${good}` });
  // First, so that the rest of them wait for the same fetch.
  const atOnce = await Promise.all(Array.from({ length: 5 }, () => outcome(verifier.verify(good))));
  return {
    good: [...new Set(atOnce)].join(),
    again: await outcome(verifier.verify(good)),
    request: await outcome(verifier.verifyRequest({ headers })),
    givenKeys: await outcome(createVerifier({ issuer, audience, jwks }).verify(good)),
    encrypted: await outcome(decrypting.verify(encrypted)),
    encryptedWithoutKey: await outcome(verifier.verify(encrypted)),
    tampered: await outcome(verifier.verify(tampered)),
    unknownKey: await outcome(verifier.verify(unknownKey)),
    notCanonical: await outcome(verifier.verify(`${good}=`)),
    otherAudience: await outcome(createVerifier({ issuer, audience: `${audience}/`, jwks }).verify(good)),
    expired: await outcome(createVerifier({ issuer, audience, jwks, now: () => Date.now() + 3_600_000 }).verify(good)),
    missing: await outcome(verifier.verify(null)),
    issuerAway: await outcome(createVerifier({ issuer, audience, jwksUri: `${jwksUri}/nothing` }).verify(good)),
  };
}

export async function outcome(verifying: Promise<{ readonly username: string }>): Promise<string> {
  return verifying.then(
    ({ username }) => username,
    (error) => error?.data?.reason ?? String(error?.stack ?? error),
  );
}
