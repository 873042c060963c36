/** What no attacker can sign, and the server must not believe all the same: headers and members that mean something else elsewhere. */
import { deflateRawSync } from "node:zlib";
import { isAuthError } from "@countersign/client";
import type { Verifier } from "@countersign/server/verifier";
import type { Principal } from "@countersign/shared";
import { jwtVerify } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { bearer, signUp } from "../support/people.ts";
import { type TestApp, testApp } from "../support/test-app.ts";
import { startAttacker } from "./attacker.ts";
import { type Doors, doorsOf, openedBy, verifierOf } from "./doors.ts";
import { type Algorithm, decode, encode, signJws, signText } from "./jws.ts";
import { type OwnKeys, ownKeysOf } from "./own-keys.ts";

/** How else the key of an algorithm can sign. */
const otherNames = {
  EdDSA: ["Ed25519"],
  ES256: ["ES384", "ES512"],
  RS256: ["RS384", "RS512", "PS256", "PS384", "PS512"],
  HS256: ["HS384", "HS512"],
} as const satisfies Partial<Record<Algorithm, readonly Algorithm[]>>;

const algorithms = ["EdDSA", "ES256", "RS256", "HS256"] as const;

describe.each(algorithms)("signed with the server's own %s key", { timeout: 60_000 }, (algorithm) => {
  let app: TestApp;
  let verifier: Verifier | null;
  let doors: Doors;
  let own: OwnKeys;
  let header: Record<string, unknown>;
  let claims: Record<string, unknown>;
  beforeAll(async () => {
    app = await testApp({ algorithm });
    verifier = algorithm === "HS256" ? null : verifierOf(app);
    doors = doorsOf(app, verifier);
    own = await ownKeysOf(app);
    const [head, body] = (await signUp(app)).accessToken.split(".");
    header = decode(head);
    claims = decode(body);
    return () => app[Symbol.asyncDispose]();
  });

  const signed = (head: object | string, payload: object | string = claims) => signJws(head, payload, own.signer);

  it("a header that changes what the token means is refused", async () => {
    const { kid } = header;
    const b64 = { ...header, crit: ["b64"], b64: false };
    const text = JSON.stringify(claims);
    const tokens: Readonly<Record<string, string>> = {
      "as it was": signed(header),
      "crit of a claim": signed({ ...header, crit: ["exp"], exp: claims.exp }),
      "crit of what is not there": signed({ ...header, crit: ["x"] }),
      "crit of what is understood": signed({ ...header, crit: ["alg"] }),
      "empty crit": signed({ ...header, crit: [] }),
      "crit null": signed({ ...header, crit: null }),
      "crit of text": signed({ ...header, crit: "b64" }),
      "crit of b64": signed({ ...header, crit: ["b64"], b64: true }),
      "crit of b64 that is false": signed(b64),
      // RFC 7797 §3: the payload stands as it is, and so it is signed.
      "a payload that is not encoded": unencoded(b64, text),
      "the same without crit": unencoded({ ...header, b64: false }, text),
      // RFC 7797 §7: none of a JWT is false. The bytes that are signed are the same for both meanings.
      "b64 without crit": signed({ ...header, b64: false }),
      // Some libraries inflate the payload of a JWS then, and so read another one.
      zip: signed({ ...header, zip: "DEF" }),
      "zip, and it is": signed({ ...header, zip: "DEF" }, deflateRawSync(text)),
      "no kid": signed({ ...header, kid: undefined }),
      "kid null": signed({ ...header, kid: null }),
      "kid of a list": signed({ ...header, kid: [kid] }),
      "kid of another": signed({ ...header, kid: `${kid}x` }),
      "kid __proto__": signed({ ...header, kid: "__proto__" }),
      "no typ": signed({ ...header, typ: undefined }),
      "typ of a list": signed({ ...header, typ: ["at+jwt"] }),
      "no alg": signed({ ...header, alg: undefined }),
      "alg none": signed({ ...header, alg: "none" }),
      "alg in other letters": signed({ ...header, alg: swapCase(algorithm) }),
      "alg of a list": signed({ ...header, alg: [algorithm] }),
      ...Object.fromEntries(
        algorithms
          .filter((alg) => alg !== algorithm)
          .map((alg) => [`alg ${alg} in its place`, signed({ ...header, alg })]),
      ),
      ...Object.fromEntries(
        otherNames[algorithm].map((alg) => [
          `the same key with ${alg}`,
          signJws({ ...header, alg }, claims, { ...own.signer, alg }),
        ]),
      ),
      "all of it inherited": signed(`{"__proto__":${JSON.stringify(header)}}`),
      "a list": signed(JSON.stringify([header])),
      "two objects": signed(`${JSON.stringify(header)}${JSON.stringify(header)}`),
      "a byte order mark before it": signed(`\ufeff${JSON.stringify(header)}`),
    };
    expect(await openedBy(new Map(Object.entries(tokens)), doors)).toEqual({ "as it was": Object.keys(doors) });
  });

  function unencoded(head: object, payload: string): string {
    const input = `${encode(head)}.${payload}`;
    return `${input}.${signText(input, own.signer)}`;
  }

  it("a header that names other keys is believed in nothing of that: RFC 7515 §4 has it ignored", async () => {
    await using attacker = await startAttacker();
    const key = attacker.keys[0] ?? expect.fail("the attacker has no key");
    const { jwk, jwks, pem } = attacker.urlsOf(key, own.kid);
    const ignored = {
      "what nobody knows": { x: 1 },
      jwk: { jwk: key.jwk },
      jku: { jku: jwks },
      "jku of one": { jku: jwk },
      x5c: { x5c: [key.certificate] },
      x5u: { x5u: pem },
      cty: { cty: "text/plain" },
    };
    for (const [name, more] of Object.entries(ignored))
      expect(await readings(signed({ ...header, ...more })), name).toEqual(everybodyReads(claims));
    expect(attacker.visits()).toBe(0);
  });

  // RFC 7519 §4 allows it. What counts is that nothing says one thing here and another thing elsewhere.
  it("of two members of one name the last one counts, for whoever reads it", async () => {
    const stranger = "01900000-0000-7000-8000-000000000000";
    const { sub, exp, iss, aud } = claims;
    const past = Number(claims.iat) - 1;
    const evil = "https://evil.example";
    const twice = (first: object, last: object) => signed(header, twoOf(claims, first, last));
    const read: readonly [name: string, token: string, of: Record<string, unknown>][] = [
      ["sub", twice({ sub: stranger }, { sub }), claims],
      ["sub, the other way round", twice({ sub }, { sub: stranger }), { ...claims, sub: stranger }],
      ["roles", twice({ roles: ["admin"] }, { roles: [] }), { ...claims, roles: [] }],
      ["roles, the other way round", twice({ roles: [] }, { roles: ["admin"] }), { ...claims, roles: ["admin"] }],
      ["exp", twice({ exp: past }, { exp }), claims],
      ["iss", twice({ iss: evil }, { iss }), claims],
      ["aud", twice({ aud: evil }, { aud }), claims],
      [
        "a name with an escape in it",
        signed(header, JSON.stringify(claims).replace(/\}$/, ',"r\\u006fles":["admin"]}')),
        { ...claims, roles: ["admin"] },
      ],
      ["__proto__", signed(header, JSON.stringify(claims).replace(/\}$/, ',"__proto__":{"roles":["admin"]}}')), claims],
      ["alg", signed(twoOf(header, { alg: "none" }, { alg: algorithm })), claims],
      ["kid", signed(twoOf(header, { kid: "x" }, { kid: own.kid })), claims],
      ["typ", signed(twoOf(header, { typ: "JWT" }, { typ: "at+jwt" })), claims],
    ];
    for (const [name, token, of] of read) expect(await readings(token), name).toEqual(everybodyReads(of));

    const refused: Readonly<Record<string, string>> = {
      exp: twice({ exp }, { exp: past }),
      iss: twice({ iss }, { iss: evil }),
      aud: twice({ aud }, { aud: evil }),
      alg: signed(twoOf(header, { alg: algorithm }, { alg: "none" })),
      typ: signed(twoOf(header, { typ: "at+jwt" }, { typ: "JWT" })),
    };
    for (const [name, token] of Object.entries(refused))
      expect(await readings(token), name).toEqual(everybodyReads(null));
  });

  /** What it says to the server, to a verifier of ours (HS256 has none), and to a library that others verify with. */
  async function readings(token: string) {
    const { issuer } = app.auth.options;
    const currentDate = new Date(app.clock.now());
    const byJose = { issuer, audience: issuer, algorithms: [algorithm], typ: "at+jwt", currentDate };
    return {
      server: await bearer(app, { accessToken: token }).whoami.query().then(wordsOf, nothing),
      verifier: verifier && (await verifier.verify(token).then(wordsOf, nothing)),
      jose: await jwtVerify(token, own.verification, byJose).then(
        ({ payload }) => wordsIn(payload),
        () => null,
      ),
    };
  }

  function everybodyReads(payload: Record<string, unknown> | null) {
    const words = payload && wordsIn(payload);
    return { server: words, verifier: verifier && words, jose: words };
  }
});

/** The claims that somebody's rights come from. */
function wordsIn({ sub, preferred_username, roles, scope, exp }: Record<string, unknown>) {
  return { sub, preferred_username, roles, scope, exp };
}

function wordsOf({ accountId, username, roles, scopes, expiresAt }: Principal<string, string, object>) {
  return wordsIn({
    sub: accountId,
    preferred_username: username,
    roles,
    scope: scopes.join(" "),
    exp: expiresAt.getTime() / 1_000,
  });
}

function nothing(error: unknown): null {
  if (isAuthError(error)) return null;
  throw error;
}

/** The text of an object with one of its members twice: `first` before all the others, `last` behind them. */
function twoOf(members: object, first: object, last: object): string {
  const [name = ""] = Object.keys(last);
  const rest = Object.fromEntries(Object.entries(members).filter(([other]) => other !== name));
  return `{${[first, rest, last].map((each) => JSON.stringify(each).slice(1, -1)).join()}}`;
}

function swapCase(text: string): string {
  return Array.from(text, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  ).join("");
}
