/** Somebody with keys of their own, of every kind, who shows them to whoever comes. */
import { createPublicKey, generateKeyPairSync, type JsonWebKey, type KeyObject } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { generate } from "selfsigned";
import type { Signer } from "./jws.ts";

export interface AttackersKey extends Signer {
  readonly jwk: JsonWebKey;
  /** A certificate that the key itself has signed, in base64; `null` for kinds that `selfsigned` does not know. */
  readonly certificate: string | null;
}

export interface Attacker extends AsyncDisposable {
  /** One for each algorithm with a public key. */
  readonly keys: readonly AttackersKey[];
  /** Where they listen. */
  readonly url: string;
  /** Where to find a key: as a JWK, in a set of all under this `kid`, and its certificate. */
  urlsOf(key: Pick<Signer, "alg">, kid: string): { readonly jwk: string; readonly jwks: string; readonly pem: string };
  /** How often anybody came. */
  visits(): number;
}

const ed25519 = generateKeyPairSync("ed25519").privateKey;
const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey;
const curve = (namedCurve: string) => generateKeyPairSync("ec", { namedCurve }).privateKey;
const signers: readonly Signer[] = [
  { alg: "RS256", key: rsa },
  { alg: "RS384", key: rsa },
  { alg: "RS512", key: rsa },
  { alg: "PS256", key: rsa },
  { alg: "PS384", key: rsa },
  { alg: "PS512", key: rsa },
  { alg: "ES256", key: curve("P-256") },
  { alg: "ES384", key: curve("P-384") },
  { alg: "ES512", key: curve("P-521") },
  { alg: "ES256K", key: curve("secp256k1") },
  { alg: "EdDSA", key: ed25519 },
  { alg: "Ed25519", key: ed25519 },
  { alg: "Ed448", key: generateKeyPairSync("ed448").privateKey },
];
const keys = await Promise.all(
  signers.map(async (signer) => ({
    ...signer,
    jwk: createPublicKey(signer.key).export({ format: "jwk" }),
    certificate: await certify(signer.key),
  })),
);

/** Listens until the end of its block. */
export async function startAttacker(): Promise<Attacker> {
  let visits = 0;
  const server = createServer((request, response) => {
    visits += 1;
    const { pathname, searchParams } = new URL(request.url ?? "", url);
    response.end(shown(pathname.slice(1), searchParams.get("kid") ?? ""));
  });
  // Who says nothing once they are connected, or speaks TLS, has come too.
  server.on("connection", () => {
    visits += 1;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the system gave no port");
  const url = `http://127.0.0.1:${address.port}`;
  return {
    keys,
    url,
    urlsOf: ({ alg }, kid) => ({
      jwk: `${url}/${alg}.jwk`,
      jwks: `${url}/jwks?kid=${encodeURIComponent(kid)}`,
      pem: `${url}/${alg}.pem`,
    }),
    visits: () => visits,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function shown(name: string, kid: string): string {
  if (name === "jwks") return JSON.stringify({ keys: keys.map(({ alg, jwk }) => ({ ...jwk, alg, kid })) });
  const key = keys.find(({ alg }) => name.startsWith(`${alg}.`));
  return name.endsWith(".pem") ? toPem(key?.certificate ?? "") : JSON.stringify(key?.jwk ?? null);
}

/** A certificate as text. */
export function toPem(certificate: string): string {
  return `-----BEGIN CERTIFICATE-----\n${certificate}\n-----END CERTIFICATE-----\n`;
}

async function certify(key: KeyObject): Promise<string | null> {
  const { crv } = createPublicKey(key).export({ format: "jwk" });
  const curve = (["P-256", "P-384", "P-521"] as const).find((name) => name === crv);
  if (key.asymmetricKeyType !== "rsa" && curve === undefined) return null;
  const { cert } = await generate([{ name: "commonName", value: "localhost" }], {
    algorithm: "sha256",
    ...(curve === undefined ? { keyType: "rsa" } : { keyType: "ec", curve }),
    keyPair: {
      privateKey: String(key.export({ type: "pkcs8", format: "pem" })),
      publicKey: String(createPublicKey(key).export({ type: "spki", format: "pem" })),
    },
  });
  return cert.replace(/-----[A-Z ]+-----|\s/g, "");
}
