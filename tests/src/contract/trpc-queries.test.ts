/** What our own way of answering queries says (docs/decisions/0011), beside what tRPC's `resolveResponse` says of the same router. */
import { type AuthContext, createApp, errorFormatter, transformer } from "@countersign/server";
import { createTestAuth, type TestAuth } from "@countersign/server/testing";
import { type AnyTRPCRouter, initTRPC, TRPCError } from "@trpc/server";
import { resolveResponse } from "@trpc/server/http";
import { describe, expect, it } from "vitest";
import { z } from "zod";

const ours = initTRPC.context<AuthContext>().create({ transformer, errorFormatter, isDev: false });
const plain = initTRPC.context<AuthContext>().create({
  isDev: false,
  // It shows what a formatter is given.
  errorFormatter: ({ shape, input, path, type, ctx }) => ({
    ...shape,
    data: { ...shape.data, seen: { input, path, type, hasContext: ctx !== undefined } },
  }),
});
const bare = initTRPC.context<AuthContext>().create({
  isDev: false,
  // So that a status is to be had from the error alone.
  errorFormatter: ({ shape: { message, code } }) => ({ message, code, data: {} }),
});
const tildes = initTRPC.context<AuthContext>().create({ transformer, errorFormatter, pathSeparator: "~" });

/** What is like a promise by these two. */
const like = (...values: unknown[]) =>
  Object.fromEntries(["then", "catch"].map((name, index) => [name, values[index]]));

function routerOf(t: typeof ours, { protectedProcedure }: TestAuth["auth"]): AnyTRPCRouter {
  const open = t.procedure;
  return t.router({
    text: open.query(() => "text"),
    nothing: open.query(() => {}),
    none: open.query(() => null),
    rich: open.query(() => ({ at: new Date(0), set: new Set([1n]), none: undefined })),
    echo: open.input(z.object({ at: z.date().or(z.string()) })).query(({ input }) => input),
    ignores: open.query(() => "whatever was sent"),
    length: open.input(z.string()).query(({ input }) => input.length),
    refuses: open.query(() => {
      throw new TRPCError({ code: "CONFLICT", message: "It is taken." });
    }),
    breaks: open.query(() => {
      throw new Error("select * from secrets");
    }),
    unavailable: open.query(() => {
      throw new TRPCError({ code: "SERVICE_UNAVAILABLE" });
    }),
    rules: open.query(() =>
      JSON.parse('{"rule":{"if":"a","then":"b"},"list":[{"then":1}],"both":{"then":1,"catch":2}}'),
    ),
    rulesInAList: open.query(() => JSON.parse('[{"if":1,"then":2}]')),
    rejects: open.query(() => Promise.reject("a text")),
    who: t.procedure.concat(protectedProcedure).query(({ ctx }) => ctx.principal.username),
    nested: { deep: open.query(({ path, batchIndex }) => ({ path, batchIndex })) },
    change: open.mutation(() => "changed"),
    mixed: open.query(() => ({ now: 1, later: Promise.resolve(1) })),
    thenables: open.query(() => ({ half: like(() => {}, 1), other: like(1, () => {}) })),
    callable: open.query(() => ({
      later: Object.assign(
        () => {},
        like(
          () => {},
          () => {},
        ),
      ),
    })),
    promises: open.query(() => ({ later: Promise.resolve(1) })),
    iterates: open.query(() => ({ async *[Symbol.asyncIterator]() {} })),
    unsendable: open.query(() => ({ constructor: 1, date: new Date(0) })),
    listens: t.procedure.subscription(async function* () {
      yield 1;
    }),
    aborted: open.query(({ signal }) => signal?.aborted ?? "no signal"),
  });
}

const json = (value: unknown) => encodeURIComponent(JSON.stringify(value));
const batch = (...paths: string[]) => `${paths.join()}?batch=1`;

const requests: readonly (readonly [path: string, init?: RequestInit])[] = [
  ...["unavailable", "rules", "rulesInAList", batch("unavailable", "text"), batch("text", "unavailable")],
  ...["text", "nothing", "none", "rich", "refuses", "breaks", "rejects", "who", "nested.deep", "nested~deep"],
  batch("text", "promises", "iterates"),
  batch("mixed", "thenables", "callable"),
  ...["change", "aborted", "unknown", "", "text,text", "__proto__", "constructor", "text/", "te%78t", "%", "listens"],
  ...[`echo?input=${json({ json: { at: "now" } })}`, `echo?input=${json({ at: "now" })}`, "echo", "echo?input="],
  `echo?input=${json({ json: { at: "1970-01-01T00:00:00.000Z" }, meta: { values: { at: ["Date"] } } })}`,
  ...["echo?input={", "ignores?input={", "who?input={", "length?input=null", `length?input=${json({ json: 5 })}`],
  `length?input=${json({ json: "x", meta: { values: [["regexp"]] } })}`,
  `length?input=${json("text")}`,
  ...["text?input=1&input=2", "text?batch=0", "text?batch=1", "text?a=b#c", "text?connectionParams={", "text?#"],
  `text?connectionParams=${json({ a: "b" })}`,
  batch("text", "text"),
  batch("text", "refuses", "breaks", "who"),
  batch("refuses", "refuses"),
  batch("breaks"),
  batch("text", "unknown"),
  batch("text", "change"),
  batch("text", "listens"),
  batch("nested.deep", "nested.deep"),
  batch("text", ""),
  `${batch("length", "length", "text")}&input=${json({ 0: { json: "a" }, 1: { json: "abc" } })}`,
  `${batch("length", "length")}&input=${json({ 1: { json: "abc" }, 7: { json: 1, meta: 5 } })}`,
  `${batch("length", "length")}&input=${json({ 0: "a", 1: 5 })}`,
  ...["[]", "null", "5", "{", '"x"', ""].map(
    (input) => `${batch("length", "text")}&input=${encodeURIComponent(input)}`,
  ),
  batch(...Array<string>(10).fill("text")),
  batch(...Array<string>(11).fill("text")),
].map((request) => [request] as const);

const withHeaders = (headers: Record<string, string>, ...paths: string[]) =>
  paths.map((path) => [path, { headers }] as const);

const all: typeof requests = [
  ...requests,
  ...withHeaders({ authorization: "Bearer nonsense" }, "who", "text", batch("who", "text")),
  ...withHeaders({ authorization: "Bearer" }, "who", batch("who", "text")),
  ...withHeaders({ "content-type": "application/json" }, "text", `length?input=${json({ json: "a" })}`),
  ...withHeaders({ "content-type": "text/plain" }, "text"),
  ...withHeaders({ "content-type": "multipart/form-data; boundary=x" }, "text"),
  ...withHeaders({ accept: "text/event-stream" }, "text"),
  ...withHeaders({ accept: "application/jsonl" }, "text"),
  ...withHeaders({ "trpc-accept": "application/jsonl" }, "text"),
  ["text", { method: "HEAD" }],
  ["text", { method: "POST", headers: { "content-type": "application/json" }, body: "{}" }],
];

/** What is compared of a reply: what tRPC sets. It leaves the type of content out of what it refuses early; we do not. */
async function readingOf(reply: Response) {
  if (reply.status >= 400) reply.headers.set("content-type", "application/json");
  const headers = ["content-type", "vary", "allow"].map((name) => [name, reply.headers.get(name)]);
  return { status: reply.status, body: await reply.text(), headers: Object.fromEntries(headers) };
}

function referenceOf(
  router: AnyTRPCRouter,
  req: Request,
  createContext: () => Promise<AuthContext>,
): Promise<Response> {
  const path = new URL(req.url).pathname.slice("/trpc/".length);
  return resolveResponse({ router, req, path, error: null, maxBatchSize: 10, createContext });
}

describe.each([
  ["our t", ours],
  // What they differ in changes no procedure's type.
  ["a t without a transformer, with a formatter of its own", plain as unknown as typeof ours],
  ["a t that says nothing of a status", bare as unknown as typeof ours],
  ["a t with another separator", tildes],
] as const)("queries on %s are answered as tRPC answers them", (_, t) => {
  it.each(all.map(([path, init]) => ({ path, init })))("$path $init", async ({ path, init }) => {
    await using test = await createTestAuth();
    const router = routerOf(t, test.auth);
    const request = () => new Request(`https://app.example/trpc/${path}`, init);
    const app = createApp(test.auth, { router, createContext: (context: AuthContext) => context as never });
    const req = request();
    const reference = await referenceOf(router, req, () => test.auth.createContext({ req }));
    expect(await readingOf(await app.fetch(request()))).toEqual(await readingOf(reference));
  });

  it("and so is one for which there is no context", async () => {
    await using test = await createTestAuth();
    const router = routerOf(t, test.auth);
    const createContext = () => Promise.reject(new TRPCError({ code: "FORBIDDEN", message: "Not on Sundays." }));
    const app = createApp(test.auth, { router, createContext });
    for (const path of ["text", batch("text", "who")]) {
      const request = () => new Request(`https://app.example/trpc/${path}`);
      const reference = await referenceOf(router, request(), createContext);
      expect(await readingOf(await app.fetch(request()))).toEqual(await readingOf(reference));
    }
  });
});

it.each(["promises", "iterates", "unsendable"])(
  "what cannot be sent is told of as tRPC does, and by its path: %s",
  async (path) => {
    await using test = await createTestAuth();
    const router = routerOf(ours, test.auth);
    const app = createApp(test.auth, { router, createContext: (context: AuthContext) => context as never });
    const req = new Request(`https://app.example/trpc/${path}`);
    const reference = await referenceOf(router, req, () => test.auth.createContext({ req }));
    const reply = await app.fetch(new Request(req.url));
    expect(reply.status).toBe(reference.status);
    expect((await reply.text()).replace(`,"path":"${path}"`, "")).toBe(await reference.text());
  },
);
