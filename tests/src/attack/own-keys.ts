/** The keys of a server, which no stranger has: for tokens that are wrong although their signature is good. */
import {
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  hkdfSync,
  type KeyObject,
} from "node:crypto";
import type { TestApp } from "../support/test-app.ts";
import type { Signer } from "./jws.ts";

export interface OwnKeys {
  readonly kid: string;
  readonly signer: Signer;
  /** What checks the signer's signatures: the public key, or the secret. */
  readonly verification: KeyObject;
  /** Of encrypted access tokens. */
  readonly encryption: Buffer;
}

/** Takes them out of the database, with the secret that the tests start the server with. */
export async function ownKeysOf({ auth }: TestApp): Promise<OwnKeys> {
  const { db, keys } = await auth.start();
  const { kid, algorithm: alg } = keys.current();
  const row = await db.selectFrom("signing_keys").selectAll().where("id", "=", kid).executeTakeFirstOrThrow();
  const { secret } = auth.options;
  const master = Buffer.from(typeof secret === "string" ? secret : secret(), "base64url");
  const derive = (label: string) => Buffer.from(hkdfSync("sha256", master, "", `countersign/v1/${label}`, 32));
  const jwk = JSON.parse(unseal(derive("signing keys"), Buffer.from(row.sealed_key), `${alg}:${kid}`));
  const key = alg === "HS256" ? createSecretKey(jwk.k, "base64url") : createPrivateKey({ key: jwk, format: "jwk" });
  return {
    kid,
    signer: { alg, key },
    verification: alg === "HS256" ? key : createPublicKey(key),
    encryption: derive("access token encryption"),
  };
}

/** version (1) ‖ key check (8) ‖ nonce (12) ‖ ciphertext ‖ tag (16): server crypto/sealing. */
function unseal(key: Buffer, sealed: Buffer, context: string): string {
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(9, 21), { authTagLength: 16 });
  decipher.setAAD(Buffer.concat([sealed.subarray(0, 9), Buffer.from(context)]));
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(21, -16)), decipher.final()]).toString();
}
