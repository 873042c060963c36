/** Another service, which verifies by itself and follows the issuer's feed: it sees what is revoked, whatever the network does. */
import { createApp, createAuth, serve } from "@countersign/server";
import { sqlite } from "@countersign/server/sqlite";
import { createVerifier, type Verifier, type VerifierOptions } from "@countersign/server/verifier";
import { Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { bundleForBrowsers } from "../support/bundle.ts";
import { capturedLog } from "../support/captured-log.ts";
import { signIn, signOut, signUp, type Tokens } from "../support/wire.ts";

vi.setConfig({ testTimeout: 30_000 });

const names = { issuer: "https://auth.example.com", audience: "https://api.example.com" };

async function startIssuer() {
  const auth = createAuth({
    ...names,
    database: sqlite(":memory:"),
    secret: Buffer.from("0123456789abcdef".repeat(2)).toString("base64url"),
    passwordHashing: { memoryKiB: 8, iterations: 1 },
    limits: { loginsPerAccount: 1_000, loginsPerAddress: 1_000 },
    log: capturedLog().log,
  });
  const served = await serve(createApp(auth, { router: auth.t.router({ auth: auth.router }) }), {
    port: 0,
    host: "127.0.0.1",
  });
  await signUp(served.url, "alice");
  return {
    auth,
    url: served.url,
    async [Symbol.asyncDispose]() {
      await served.close({ drainMs: 0 });
      await auth.close();
    },
  };
}

type Issuer = Awaited<ReturnType<typeof startIssuer>>;
let issuer: Issuer;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer[Symbol.asyncDispose]());

type Options = Partial<Omit<Extract<VerifierOptions, { jwksUri: string | URL }>, "jwks">>;

function follow(options: Options = {}) {
  const errors: unknown[] = [];
  const verifier: Verifier = createVerifier({
    ...names,
    jwksUri: `${issuer.url}/.well-known/jwks.json`,
    feed: true,
    onError: (error) => errors.push(error),
    ...options,
  });
  return Object.assign(verifier, { errors, [Symbol.dispose]: () => verifier.close() });
}

/** Milliseconds until a verifier refuses. */
async function untilRefused(verifier: Pick<Verifier, "verify">, { accessToken }: Tokens, reason = "SESSION_REVOKED") {
  const begun = performance.now();
  await vi.waitFor(() => expect(verifier.verify(accessToken)).rejects.toMatchObject({ reason }), {
    timeout: 10_000,
    interval: 5,
  });
  return performance.now() - begun;
}

async function snapshot({ url }: Issuer, after = 0): Promise<string> {
  const reply = await fetch(
    `${url}/trpc/auth.feedSnapshot?input=${encodeURIComponent(JSON.stringify({ json: { after } }))}`,
  );
  const { result } = (await reply.json()) as { result: { data: { json: string } } };
  return result.data.json;
}

const payloadOf = (token: string) => Buffer.from(token.split(".")[1] ?? "", "base64url").toString();

/** A network between the verifier and the issuer: what streams carry can be kept back, changed and replayed. */
function tampering() {
  const network = {
    isDown: false,
    streams: 0,
    /** What the next messages become; `null` for none. */
    change: (message: string): string | null => message,
    seen: [] as string[],
    cut: () => {},
    fetch: (async (input, init) => {
      if (network.isDown) throw new TypeError("fetch failed");
      const response = await fetch(input, init);
      if (!input.includes("auth.feed?")) return response;
      network.streams += 1;
      const cut = new AbortController();
      network.cut = () => cut.abort(new TypeError("the connection was lost"));
      const changed = new TransformStream<string, string>({
        transform(text, controller) {
          const lines = text.split("\n").map((line) => {
            if (!line.startsWith('data: {"json"')) return line;
            const { json } = JSON.parse(line.slice(6));
            network.seen.push(json);
            const now = network.change(json);
            return now === null ? "" : `data: ${JSON.stringify({ json: now })}`;
          });
          controller.enqueue(lines.join("\n"));
        },
      });
      const body = response.body
        ?.pipeThrough(new TextDecoderStream())
        .pipeThrough(changed)
        .pipeThrough(new TextEncoderStream())
        .pipeThrough(new TransformStream(), { signal: cut.signal });
      return new Response(body ?? null, { status: response.status, headers: response.headers });
    }) satisfies NonNullable<Options["fetch"]>,
  };
  return network;
}

describe("a service that follows the feed", () => {
  it("sees a revocation within a second, and asks nobody when it verifies", async () => {
    const requests: string[] = [];
    using verifier = follow({
      fetch(input, init) {
        requests.push(input);
        return fetch(input, init);
      },
    });
    const [ended, other] = [await signIn(issuer.url, "alice"), await signIn(issuer.url, "alice")];
    await verifier.verify(ended.accessToken);
    requests.length = 0;
    for (let round = 0; round < 100; round += 1) await verifier.verify(ended.accessToken);
    expect(requests).toEqual([]);
    await signOut(issuer.url, ended);
    expect(await untilRefused(verifier, ended)).toBeLessThan(1_000);
    expect(await verifier.verify(other.accessToken)).toMatchObject({ username: "alice" });
    expect([verifier.isFeedStale(), verifier.errors]).toEqual([false, []]);
  });

  it("sees what was revoked before it began", async () => {
    const ended = await signIn(issuer.url, "alice");
    await signOut(issuer.url, ended);
    using verifier = follow();
    await expect(verifier.verify(ended.accessToken)).rejects.toMatchObject({ reason: "SESSION_REVOKED" });
  });

  it("sees that an account has changed", async () => {
    using verifier = follow();
    const tokens = await signUp(issuer.url, "changed");
    const { accountId, version } = await verifier.verify(tokens.accessToken);
    await issuer.auth.accountChanged({ id: accountId, version: version + 1 });
    expect(await untilRefused(verifier, tokens, "TOKEN_EXPIRED")).toBeLessThan(1_000);
  });

  it("drops a compromised key, whatever is cached on the way", async () => {
    await using own = await startIssuer();
    using verifier = follow({ jwksUri: `${own.url}/.well-known/jwks.json` });
    const tokens = await signIn(own.url, "alice");
    await verifier.verify(tokens.accessToken);
    const { keys, feed } = await own.auth.start();
    await keys.rotate({ compromised: true });
    await feed.catchUp();
    expect(await untilRefused(verifier, tokens, "TOKEN_INVALID")).toBeLessThan(3_000);
    const { accessToken } = await signIn(own.url, "alice");
    expect(await verifier.verify(accessToken)).toMatchObject({ username: "alice" });
  });

  it("comes back after its connection was cut, and sees what happened meanwhile", async () => {
    const network = tampering();
    using verifier = follow({ fetch: network.fetch });
    const tokens = await signIn(issuer.url, "alice");
    await verifier.verify(tokens.accessToken);
    network.isDown = true;
    network.cut();
    await signOut(issuer.url, tokens);
    network.isDown = false;
    expect(await untilRefused(verifier, tokens)).toBeLessThan(2_000);
    expect(network.streams).toBeGreaterThan(1);
  });

  it.each(["open", "closed"] as const)(
    "says that it is stale when nothing comes any more: %s",
    async (whenFeedIsStale) => {
      const network = tampering();
      let late = 0;
      using verifier = follow({ fetch: network.fetch, whenFeedIsStale, now: () => Date.now() + late });
      const { accessToken } = await signIn(issuer.url, "alice");
      await verifier.verify(accessToken);
      network.change = () => null;
      late = 11_000;
      expect(verifier.isFeedStale()).toBe(true);
      const verified = verifier.verify(accessToken);
      if (whenFeedIsStale === "open") expect(await verified).toMatchObject({ username: "alice" });
      else await expect(verified).rejects.toMatchObject({ reason: "UNAVAILABLE" });
      expect(verifier.errors.map(String)).toContain("Error: the feed is stale: a revocation may be unknown");
    },
  );

  it("takes nothing that the issuer did not sign as its feed", async () => {
    const tokens = await signIn(issuer.url, "alice");
    const other = await signIn(issuer.url, "alice");
    await using elsewhere = await startIssuer();
    const forged = [
      // Of another issuer of the same name; an access token, which the same key signed; and a feed with other events in it.
      await snapshot(elsewhere),
      tokens.accessToken,
      (genuine: string) => {
        const [header, , signature] = genuine.split(".");
        const events = JSON.stringify({ iss: names.issuer, iat: Date.now() / 1_000 + 60, from: 0, to: 9, events: [] });
        return [header, Buffer.from(events).toString("base64url"), signature].join(".");
      },
    ];
    for (const fake of forged) {
      const network = tampering();
      using verifier = follow({ fetch: network.fetch });
      await verifier.verify(tokens.accessToken);
      network.change = (message) => (typeof fake === "string" ? fake : fake(message));
      await vi.waitFor(
        () => expect(verifier.errors).toContainEqual(expect.objectContaining({ reason: "TOKEN_INVALID" })),
        {
          timeout: 5_000,
        },
      );
      expect(await verifier.verify(other.accessToken)).toMatchObject({ username: "alice" });
    }
  });

  it("does not take what is replayed for news, nor miss what is kept back", async () => {
    const network = tampering();
    let late = 0;
    using verifier = follow({ fetch: network.fetch, now: () => Date.now() + late });
    const tokens = await signIn(issuer.url, "alice");
    await verifier.verify(tokens.accessToken);
    // What was said before is said again, while the session ends.
    const [old = ""] = network.seen;
    network.change = () => old;
    await signOut(issuer.url, tokens);
    await vi.waitFor(() => expect(network.seen.length).toBeGreaterThan(3), { timeout: 5_000 });
    expect(await verifier.verify(tokens.accessToken)).toMatchObject({ username: "alice" });
    late = 11_000;
    expect(verifier.isFeedStale()).toBe(true);
    late = 0;
    // One message is kept back, and those after it are let through: there is a gap, and it asks for what is missing.
    network.change = (message) => message;
    expect(await untilRefused(verifier, tokens)).toBeLessThan(3_000);
  });

  it("names nobody in it", async () => {
    const tokens = await signIn(issuer.url, "alice");
    await signOut(issuer.url, tokens);
    const payload = payloadOf(await snapshot(issuer));
    const { sid, sub } = JSON.parse(payloadOf(tokens.accessToken));
    expect(JSON.parse(payload).events.length).toBeGreaterThan(0);
    for (const secret of ["alice", sid, sub]) expect(payload).not.toContain(secret);
  });

  it("has nothing of its own for each who asks for what is to come", async () => {
    // Positions that this feed has not reached are of another database: who comes from there is told all.
    const { from, to } = JSON.parse(payloadOf(await snapshot(issuer, 10 ** 12)));
    expect([from, to > 0]).toEqual([0, true]);
    const places = new Set<number>();
    for (let after = 0; after <= to + 50; after += 1) {
      const message = JSON.parse(payloadOf(await snapshot(issuer, after)));
      expect(message.from).toBeLessThanOrEqual(after);
      places.add(message.from);
    }
    expect(places.size).toBeLessThanOrEqual(2 + Math.ceil(Math.log2(to)));
  });
});

it("in workerd, which keeps no connection, a revocation is seen within a second too", async () => {
  const { code } = await bundleForBrowsers(new URL("./worker.ts", import.meta.url), "esm");
  const miniflare = new Miniflare({ modules: true, script: code, compatibilityDate: "2026-01-01" });
  try {
    const tokens = await signIn(issuer.url, "alice");
    const given = { ...names, jwksUri: `${issuer.url}/.well-known/jwks.json`, good: tokens.accessToken };
    const ask = async () => {
      const init = { method: "POST", body: JSON.stringify(given) };
      return (await miniflare.dispatchFetch("http://worker/follow", init)).json();
    };
    expect(await ask()).toBe("alice");
    await signOut(issuer.url, tokens);
    const begun = performance.now();
    await vi.waitFor(async () => expect(await ask()).toBe("SESSION_REVOKED"), { timeout: 5_000, interval: 20 });
    expect(performance.now() - begun).toBeLessThan(1_500);
  } finally {
    await miniflare.dispose();
  }
});
