/** Calls of every procedure, with the fields that each has and values that nobody expects. */
import { randomUUID } from "node:crypto";
import { accessMatrix } from "@countersign/server";
import fc from "fast-check";
import { expect } from "vitest";
import { testRouter } from "../support/test-router.ts";
import { call, password, signIn, signUp, whoami } from "../support/wire.ts";
import { origin } from "./attacked.ts";
import { strangeText } from "./strange-text.ts";

type Procedure = ReturnType<typeof accessMatrix>[number];

/** Calls that go together: in one batch, or one by itself. */
export interface FuzzedCalls {
  readonly isBatch: boolean;
  readonly calls: readonly Call[];
  /** What is sent: JSON that names the calls' inputs, and sometimes none at all. */
  readonly text: string;
}

interface Call {
  readonly procedure: Procedure;
  readonly hasInput: boolean;
  /** In JSON. */
  readonly input: string;
}

/** Stand in what is sent for an account and a session that are there, which are known later. */
const someAccount = "<an account>";
const someSession = "<a session>";

interface Schema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

interface Described {
  readonly content: { readonly "application/json": { readonly schema: Schema } };
}

/** The tests' own: one is there to fall over, and what the others answer never ends. */
const ofTests: ReadonlySet<string> = new Set(["broken", "live", "publicLive"]);

/** Of the description at `/openapi.json`, what says which fields each procedure takes. */
export interface ApiDescription {
  readonly paths: Readonly<
    Record<
      string,
      {
        readonly get?: { readonly parameters?: readonly Described[] };
        readonly post?: { readonly requestBody: Described };
      }
    >
  >;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const plain = fc.jsonValue({ maxDepth: 4 });
const date = fc.oneof(
  fc.date({ noInvalidDate: true }).map((time) => time.toISOString()),
  fc.double().map(String),
);
const number = fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 90 }) }, fc.integer(), fc.double());
const somePassword = fc.oneof(fc.constant(password), fc.string({ minLength: 8, maxLength: 100 }));

/** What each field takes, or nearly. */
const valuesByField: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  username: fc.oneof(fc.stringMatching(/^[a-z]{2,9}[0-9]{2}$/), fc.constantFrom("alice", "root")),
  password: somePassword,
  currentPassword: somePassword,
  newPassword: somePassword,
  email: fc.oneof(fc.emailAddress(), fc.constant(null)),
  id: fc.constantFrom(someAccount, someAccount, someSession, randomUUID(), 1),
  accountId: fc.constant(someAccount),
  roles: fc.subarray(["admin", "moderator"]),
  scope: fc.constantFrom("", "notes:read", "notes:read notes:write", "notes:moderate"),
  refreshToken: fc.base64String({ minLength: 60 }).map((text) => `v1.${text}`),
  attempt: fc.string({ minLength: 22, maxLength: 128 }),
  code: fc.stringMatching(/^([0-9a-f]{4}-){4}[0-9a-f]{4}$/),
  cursor: fc.tuple(fc.nat(), fc.uuid()).map((parts) => parts.join(".")),
  limit: number,
  days: number,
  after: number,
  lastEventId: fc.nat().map(String),
  direction: fc.constant("forward"),
  kinds: fc.subarray(["sign_in", "sign_in_failed", "roles_changed", "other"]),
  before: date,
  at: date,
  immediately: fc.boolean(),
  compromised: fc.boolean(),
};
const dates: ReadonlySet<string> = new Set(["before", "at"]);

/** @param description What the server says of itself. */
export function fuzzedCalls(description: ApiDescription): fc.Arbitrary<FuzzedCalls> {
  const procedures = accessMatrix(testRouter).filter(({ path }) => !ofTests.has(path));
  const someOf = (type?: Procedure["type"]) =>
    fc.oneof(...procedures.filter((each) => type === undefined || each.type === type).map(callOf));
  const batchOf = (type: Procedure["type"]) =>
    fc.array(someOf(type), { minLength: 1, maxLength: 12 }).map((calls) => {
      const text = `{${calls.map(({ input }, index) => `"${index}":${input}`).join()}}`;
      return { isBatch: true, calls, text };
    });
  const single = someOf().map((call) => ({ isBatch: false, calls: [call], text: call.input }));
  const some = fc.oneof({ weight: 4, arbitrary: single }, batchOf("query"), batchOf("mutation"));
  const noJson = fc
    .tuple(some, fc.string({ unit: "binary", maxLength: 500 }))
    .map(([calls, text]) => ({ ...calls, text }));
  return fc.oneof({ weight: 15, arbitrary: some }, noJson);

  function callOf(procedure: Procedure): fc.WeightedArbitrary<Call> {
    const schema = schemaOf(procedure.path, description);
    const hasInput = schema.properties !== undefined;
    const arbitrary = inputOf(schema).map((input) => ({ procedure, hasInput, input }));
    // Where there is no input, there is little to try.
    return { weight: hasInput ? 4 : 1, arbitrary };
  }
}

function schemaOf(path: string, { paths, components }: ApiDescription): Schema {
  const { get, post } = paths[`/trpc/${path}`] ?? {};
  const described = post?.requestBody ?? get?.parameters?.[0];
  const input = described?.content["application/json"].schema.properties?.json ?? {};
  return components.schemas[input.$ref?.split("/").at(-1) ?? ""] ?? input;
}

/** What is sent: mostly what the procedure could take, and anything at all. */
function inputOf({ properties = {}, required = [] }: Schema): fc.Arbitrary<string> {
  const names = Object.keys(properties);
  const values = Object.fromEntries(names.map((name) => [name, fieldOf(name)]));
  const some = fc.record(values, { requiredKeys: [] });
  const enough = fc.record(values, { requiredKeys: [...required] });
  const json = fc.oneof({ weight: 10, arbitrary: enough }, some, strangeText, plain, fc.constant(undefined));
  const meta = fc.record({ values: metaOf(names), referentialEqualities: plain, v: plain }, { requiredKeys: [] });
  return fc.oneof(
    // Of a batch, one that is not to be read stops all.
    { weight: 15, arbitrary: json.map((value) => JSON.stringify({ json: value, meta: datesIn(value) })) },
    fc.record({ json, meta }).map((envelope) => JSON.stringify(envelope)),
    fc.json(),
  );
}

function fieldOf(name: string): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 8, arbitrary: valuesByField[name] ?? strangeText }, strangeText, plain);
}

/** Dates are texts that `meta` says to be dates. */
function datesIn(value: unknown): object | undefined {
  const names = typeof value === "object" && value !== null ? Object.keys(value).filter((name) => dates.has(name)) : [];
  return names.length === 0 ? undefined : { values: Object.fromEntries(names.map((name) => [name, ["Date"]])) };
}

function metaOf(names: readonly string[]): fc.Arbitrary<unknown> {
  const keys = fc.constantFrom(...names, "__proto__", "constructor", "prototype", "a", "0", "a.b");
  const types = fc.constantFrom("Date", "undefined", "bigint", "map", "set", "regexp", "Error", "symbol");
  return fc.oneof(
    plain,
    fc.dictionary(
      keys,
      fc.oneof(
        types.map((type) => [type]),
        plain,
      ),
    ),
  );
}

/** Somebody who is signed in. */
export interface Person {
  readonly token: string;
  readonly accountId: string;
  readonly sessionId: string;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
}

let people = 0;

/** Somebody new. Roles are given by Root. */
export async function newPerson(url: string, roles: readonly string[] = []): Promise<Person> {
  people += 1;
  const username = `person-${people}`;
  const first = await signUp(url, username);
  if (roles.length === 0) return personOf(url, first.accessToken);
  const { accountId: id } = await personOf(url, first.accessToken);
  const { accessToken: token } = await signIn(url, "root");
  expect(await call(url, "users.setRoles", { input: { id, roles }, token })).toMatchObject({ reason: null });
  return personOf(url, (await signIn(url, username)).accessToken);
}

async function personOf(url: string, accessToken: string): Promise<Person> {
  const { data } = await whoami(url, { accessToken, refreshToken: "" });
  return { ...(data as Omit<Person, "token">), token: accessToken };
}

/**
 * Sends calls, and looks that whoever may not make them is refused.
 *
 * @param given.as Who calls; `null` for nobody. `about`: whose account and session they name, where they name some.
 * @returns How many were made, of those that have an input.
 */
export async function sendCalls(
  url: string,
  { isBatch, calls, text }: FuzzedCalls,
  { as, about }: { readonly as: Person | null; readonly about: Person },
): Promise<number> {
  const input = text.replaceAll(someAccount, about.accountId).replaceAll(someSession, about.sessionId);
  const isMutation = calls[0]?.procedure.type === "mutation";
  const search = new URLSearchParams({ ...(isBatch && { batch: "1" }), ...(!isMutation && { input }) });
  const path = `/trpc/${calls.map(({ procedure }) => procedure.path).join()}?${search}`;
  // What is too long for an address is refused before anybody reads it.
  if (path.length > 15_000) return 0;
  const authorization = as === null ? {} : { authorization: `Bearer ${as.token}` };
  const reply = await fetch(`${url}${path}`, {
    headers: { origin, "content-type": "application/json", ...authorization },
    ...(isMutation && { method: "POST", body: input }),
  });
  const made = await callsMade(reply, calls);
  expect(made.filter(({ procedure }) => !mayCall(as, procedure)).map(({ procedure }) => procedure.path)).toEqual([]);
  return made.filter(({ hasInput }) => hasInput).length;
}

/** Of the calls, those that were not refused. */
async function callsMade(reply: Response, calls: readonly Call[]): Promise<readonly Call[]> {
  if (reply.headers.get("content-type")?.startsWith("text/event-stream")) {
    await reply.body?.cancel();
    return calls;
  }
  const text = await reply.text();
  expect([200, 207, 400, 401, 403, 404, 409], `${reply.url}: ${text.slice(0, 500)}`).toContain(reply.status);
  const answers: readonly { readonly error?: unknown }[] = [JSON.parse(text)].flat();
  // A batch that is refused as a whole has one answer.
  return calls.filter(
    (_, index) => (answers.length === calls.length ? answers[index] : answers[0])?.error === undefined,
  );
}

function mayCall(as: Person | null, { signedIn, roles, scopes }: Procedure): boolean {
  if (as === null) return !signedIn;
  return roles.every((role) => as.roles.includes(role)) && scopes.every((scope) => as.scopes.includes(scope));
}
