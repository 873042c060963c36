/** Access tokens that nobody was given: each made of a good one, without its key. */
import { createPublicKey, createSecretKey, type JsonWebKey, type KeyObject } from "node:crypto";
import { isLong } from "../support/long-tests.ts";
import type { Attacker, AttackersKey } from "./attacker.ts";
import { type Algorithm, decode, encode, signText } from "./jws.ts";

/** One way to a token, by a header and by what stands where the signature belongs. */
export interface Trick {
  readonly name: string;
  /** Instead of what the good one says, and beside it; what is `undefined` is left out. */
  readonly header: Readonly<Record<string, unknown>>;
  readonly signature: Signature;
}

interface Signature {
  readonly name: string;
  readonly alg: unknown;
  /** Of a header and a payload. */
  of(input: string): string;
}

/** One whose signature is good, for whoever takes a key for the server's that is not. */
export interface SignedTrick extends Trick {
  readonly signature: Signature & { readonly checkedWith: KeyObject };
}

/** What strangers know: a token of their own, and the public keys. */
export interface Known {
  readonly token: string;
  readonly jwks: readonly JsonWebKey[];
}

const hmacs = ["HS256", "HS384", "HS512"] as const satisfies readonly Algorithm[];

/** Tokens by what was done to make them. None is the good one itself. */
export function forgeriesOf(known: Known, attacker: Attacker): ReadonlyMap<string, string> {
  const tricks = [...signedTricks(known, attacker), ...otherTricks(known, attacker)];
  const made = new Map(tricks.map((trick) => [nameOf(trick), perform(trick, known)]));
  for (const [name, token] of Object.entries({ ...spellings(known), ...shapes(known) })) made.set(name, token);
  for (const [name, token] of made) if (token === known.token) made.delete(name);
  return made;
}

export function nameOf({ name, signature }: Trick): string {
  return `${name}, ${signature.name}`;
}

export function perform({ header, signature }: Trick, { token }: Known): string {
  const [head, body] = token.split(".");
  const input = `${encode({ ...decode(head), alg: signature.alg, ...header })}.${body}`;
  return `${input}.${signature.of(input)}`;
}

/** Good signatures, under keys that no server may believe in. */
export function signedTricks({ token, jwks }: Known, attacker: Attacker): readonly SignedTrick[] {
  const kid = String(decode(token.split(".")[0]).kid);
  const byKeys = attacker.keys.flatMap((key) =>
    Object.entries(placesOf(key, { attacker, kid })).map(([name, header]) => ({ name, header, signature: byKey(key) })),
  );
  return [
    ...byKeys,
    ...cross({ "the same header": {} }, secretsIn(jwks, kid).flatMap(bySecret)),
    ...cross({ "a kid that is a path": { kid: "../../../../dev/null" } }, bySecret(["what is in that file", ""])),
    ...cross({ "a kid that is SQL": { kid: "x' union select 'k' --" } }, bySecret(["what that selects", "k"])),
  ];
}

/** Where a header says that its key is. It is there. */
function placesOf(
  key: AttackersKey,
  { attacker, kid }: { attacker: Attacker; kid: string },
): Record<string, Trick["header"]> {
  const { jwk, jwks, pem } = attacker.urlsOf(key, kid);
  const { certificate } = key;
  return {
    "the same header": {},
    "the key in the header": { jwk: { ...key.jwk, kid } },
    "the address of a JWKS": { jku: jwks },
    "an address as kid": { kid: jwk },
    ...(certificate !== null && {
      "a certificate": { x5c: [certificate] },
      "the address of a certificate": { x5u: pem },
    }),
  };
}

function byKey({ alg, key }: AttackersKey): SignedTrick["signature"] {
  const name = `signed with ${alg} by a key of the attacker's`;
  return { name, alg, of: (input) => signText(input, { alg, key }), checkedWith: createPublicKey(key) };
}

function bySecret([what, secret]: readonly [
  what: string,
  secret: string | Buffer,
]): readonly SignedTrick["signature"][] {
  const key = createSecretKey(Buffer.from(secret));
  return hmacs.map((alg) => ({
    name: `signed with ${alg} by ${what}`,
    alg,
    of: (input) => signText(input, { alg, key }),
    checkedWith: key,
  }));
}

/** What anybody may guess, and public keys in all their spellings: a server that mixes kinds up takes them for its secret. */
function secretsIn(jwks: readonly JsonWebKey[], kid: string): readonly (readonly [string, string | Buffer])[] {
  const guesses = ["", "secret", "0", "k", kid, "\0".repeat(32)].map(
    (guess) => [JSON.stringify(guess), guess] as const,
  );
  const spelled = jwks.flatMap((jwk) => {
    const key = createPublicKey({ key: jwk, format: "jwk" });
    const pem = String(key.export({ type: "spki", format: "pem" }));
    const number = jwk.x ?? jwk.n ?? "";
    return [
      ["the public key as PEM", pem],
      ["the public key as PEM without its last line's end", pem.trim()],
      ["the public key as DER", key.export({ type: "spki", format: "der" })],
      ["the public key as JSON", JSON.stringify(jwk)],
      ["the public key's number", number],
      ["the public key's number in bytes", Buffer.from(number, "base64url")],
    ] as const;
  });
  return [...guesses, ...spelled];
}

/** No signature at all, or one of something else. */
function otherTricks({ token, jwks }: Known, attacker: Attacker): readonly Trick[] {
  const [head, , old = ""] = token.split(".");
  const { alg, kid } = decode(head);
  const instead = (name: string, text: string): Signature => ({ name, alg, of: () => text });
  const before = instead("the old signature", old);
  const everySignature = () => [before, ...attacker.keys.map(byKey), ...secretsIn(jwks, String(kid)).flatMap(bySecret)];
  const unsigned = ["none", "None", "NONE", "nOnE", "none ", " none", "", null, 0, [], ["none"], { alg: "none" }];
  return [
    ...cross(Object.fromEntries(unsigned.map((alg) => [`alg ${JSON.stringify(alg)}`, { alg }])), [
      instead("no signature", ""),
      instead("a short one", "AA"),
      before,
    ]),
    ...cross(strangeHeaders(kid), isLong ? everySignature() : [before]),
  ];
}

const strangeHeaders = (kid: unknown): Readonly<Record<string, Trick["header"]>> => ({
  "a member that nobody knows": { x: 1 },
  "no kid": { kid: undefined },
  "kid of a list": { kid: [kid] },
  "kid of an object": { kid: { toString: kid } },
  "kid __proto__": { kid: "__proto__" },
  crit: { crit: ["exp"], exp: 1 },
  "crit of b64": { crit: ["b64"], b64: false },
  "empty crit": { crit: [] },
  b64: { b64: false },
  zip: { zip: "DEF" },
  cty: { cty: "JWT" },
  "typ of another": { typ: "JWT" },
  "typ of the feed": { typ: "feed+jwt" },
});

function cross<S extends Signature>(headers: Readonly<Record<string, Trick["header"]>>, signatures: readonly S[]) {
  return Object.entries(headers).flatMap(([name, header]) =>
    signatures.map((signature) => ({ name, header, signature })),
  );
}

/** One letter is another one. In the last, the bits behind the last byte mean nothing: others decode to the same. */
export function spellings({ token }: Pick<Known, "token">): Readonly<Record<string, string>> {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = Array.from(alphabet, (letter) => [`last letter ${letter}`, token.slice(0, -1) + letter] as const);
  const within = Array.from(token, (letter, index) => {
    const other = letter === "A" ? "B" : "A";
    return [`letter ${index} another`, token.slice(0, index) + other + token.slice(index + 1)] as const;
  });
  return Object.fromEntries([...last, ...within.filter((_, index) => isLong || index % 29 === 0)]);
}

function shapes({ token }: Known): Readonly<Record<string, string>> {
  const [head = "", body = "", signature = ""] = token.split(".");
  return {
    "two parts": `${head}.${body}`,
    "one part": head,
    "four parts": `${token}.${signature}`,
    "five parts": `${token}.${signature}.${signature}`,
    "a dot behind": `${token}.`,
    "a dot before": `.${token}`,
    "no header": `.${body}.${signature}`,
    "no body": `${head}..${signature}`,
    padding: `${head}=.${body}==.${signature}=`,
    "percent signs": token.replaceAll(".", "%2E"),
    "in quotes": `"${token}"`,
    "the JSON of it": encode({ protected: head, payload: body, signature }),
    "itself, as a payload": `${head}.${encode(token)}.${signature}`,
    "another sub": `${head}.${encode({ ...decode(body), sub: "01900000-0000-7000-8000-000000000000" })}.${signature}`,
    "a later end": `${head}.${encode({ ...decode(body), exp: 9_999_999_999 })}.${signature}`,
    "other letters": `${head.replaceAll("-", "+").replaceAll("_", "/")}+.${body}.${signature}`,
    "a header of spaces": `${encode(`${JSON.stringify(decode(head))} `)}.${body}.${signature}`,
    "nine thousand letters": `${head}.${"A".repeat(9_000)}.${signature}`,
    nothing: "",
  };
}
