/** From the zod schemas that parse requests and replies to the JSON Schemas that describe them. */
import {
  Account,
  AccountId,
  AccountPage,
  AccountRef,
  ChangePasswordInput,
  CreateAccountInput,
  Email,
  ListAccountsInput,
  LoginInput,
  LogoutInput,
  Password,
  RefreshInput,
  RegisterInput,
  RevokedCount,
  ScopeString,
  Session,
  SessionId,
  SessionRef,
  SetPasswordInput,
  SetRolesInput,
  SignedIn,
  User,
  Username,
} from "@countersign/shared/schemas";
import { z } from "zod";
import { PasswordGrant, RefreshGrant, TokenReply } from "../token.ts";
import type { Json, JsonObject } from "./json.ts";

/** JSON Schemas by the keys of what was described, and the components that they refer to. */
export interface DescribedSchemas {
  readonly inputs: Readonly<Record<string, JsonObject>>;
  readonly outputs: Readonly<Record<string, JsonObject>>;
  readonly components: JsonObject;
}

type Direction = "input" | "output";
type Validators = Readonly<Record<string, unknown>>;

/** Ours that have a name. An application names its own by zod's `.meta({ id: "Note" })`. */
const ownNames = new Map<unknown, string>(
  Object.entries({
    Account,
    AccountPage,
    AccountRef,
    ChangePasswordInput,
    CreateAccountInput,
    LoginInput,
    PasswordGrant,
    RefreshGrant,
    RefreshInput,
    RegisterInput,
    RevokedCount,
    Session,
    SessionRef,
    SetPasswordInput,
    SetRolesInput,
    SignedIn,
    TokenReply,
    User,
  }).map(([name, schema]) => [schema, name]),
);

const password = "correct horse battery staple";

/** What a form shows at first, good enough to be sent. Without it Swagger UI makes something up, which is refused. */
const examples = new Map<unknown, Json>([
  [Username, "alice"],
  [LoginInput.shape.username, "alice"],
  [Password, password],
  [ChangePasswordInput, { currentPassword: password, newPassword: "another horse battery staple" }],
  [Email, "alice@example.com"],
  [SetRolesInput.shape.roles.element, "admin"],
  [ScopeString, ""],
  [AccountId, "0199d8a2-7f3e-7c1a-9b52-1f0e3a4c5d6e"],
  [SessionId, "0199d8a3-0c41-7b0d-8d6f-5b1f9a7e2c34"],
  [RefreshInput.shape.refreshToken, "v1.the-refresh-token-of-a-sign-in"],
  [User, { id: "0199d8a2-7f3e-7c1a-9b52-1f0e3a4c5d6e", username: "alice", email: "alice@example.com", roles: [] }],
  // The session of the access token, and the first page.
  [LogoutInput, {}],
  [ListAccountsInput, {}],
]);

/**
 * Describes validators as they are on the wire: inputs before they are parsed, outputs after. What is not a zod schema,
 * or has no JSON Schema, is described as anything.
 */
export function describeSchemas(validators: {
  readonly inputs: Validators;
  readonly outputs: Validators;
}): DescribedSchemas {
  const takenNames = new Set<string>();
  const outputs = convert(validators.outputs, "output", takenNames);
  const inputs = convert(validators.inputs, "input", takenNames);
  return {
    inputs: inputs.schemas,
    outputs: outputs.schemas,
    components: { ...outputs.components, ...inputs.components },
  };
}

/** Whether a call may leave this input out. */
export function isOptional(validator: unknown): boolean {
  return !isZod(validator) || validator._zod.optin === "optional";
}

/** Several validators that all have to accept the same value. */
export function allOf(validators: readonly unknown[]): unknown {
  return validators.every(isZod) ? validators.reduce((left, right) => z.intersection(left, right)) : z.any();
}

/** All at once, as the properties of one object, so that what they share is found, and named once. */
function convert(validators: Validators, direction: Direction, takenNames: Set<string>) {
  const metadata = namesFor(direction, takenNames);
  const options = { io: direction, unrepresentable: "any", override: asOnTheWire(direction), metadata } as const;
  const shape = Object.entries(validators).map(([key, validator]) => [
    key,
    isZod(validator) && isConvertible(validator, options) ? validator : z.any(),
  ]);
  const { properties = {}, $defs = {} } = z.toJSONSchema(z.object(Object.fromEntries(shape)), options);
  const componentName = (name: string) => name.replace(/^__schema/, direction === "input" ? "InputPart" : "OutputPart");
  const relocated = (schema: unknown) => relocateReferences(schema as Json, componentName) as JsonObject;
  const mapped = (schemas: object, nameOf: (name: string) => string) =>
    Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [nameOf(name), relocated(schema)]));
  return { schemas: mapped(properties, (key) => key), components: mapped($defs, componentName) };
}

function isZod(validator: unknown): validator is z.core.$ZodType {
  return typeof validator === "object" && validator !== null && "_zod" in validator;
}

/** One schema that zod cannot convert, as one whose default throws outside of a request, must not cost the others their description. */
function isConvertible(schema: z.core.$ZodType, options: z.core.ToJSONSchemaParams): boolean {
  try {
    z.toJSONSchema(schema, options);
    return true;
  } catch {
    return false;
  }
}

/**
 * A registry that gives our schemas their names, and makes all names good for OpenAPI and different from each other. What
 * goes in may differ from what comes out, as where there is a default, so that each direction has names of its own.
 */
function namesFor(direction: Direction, taken: Set<string>): z.core.$ZodRegistry<{ id?: string }> {
  const names = new Map<z.core.$ZodType, string>();
  const nameFor = (schema: z.core.$ZodType, wanted: string): string => {
    let name = names.get(schema);
    if (name !== undefined) return name;
    name = wanted.replace(/[^a-zA-Z0-9._-]/g, "_");
    while (taken.has(name)) name += direction === "input" ? "Input" : "Other";
    names.set(schema, name);
    taken.add(name);
    return name;
  };
  return Object.assign(z.registry<{ id?: string }>(), {
    get(schema: z.core.$ZodType) {
      const metadata = z.globalRegistry.get(schema);
      const wanted = ownNames.get(schema) ?? metadata?.id;
      return wanted === undefined ? metadata : { ...metadata, id: nameFor(schema, wanted) };
    },
  });
}

function asOnTheWire(direction: Direction): NonNullable<z.core.ToJSONSchemaParams["override"]> {
  return ({ zodSchema, jsonSchema }) => {
    const { def } = zodSchema._zod;
    if (def.type === "date") Object.assign(jsonSchema, { type: "string", format: "date-time" });
    if (def.type === "bigint") Object.assign(jsonSchema, { type: "string", pattern: "^-?[0-9]+$" });
    if ((zodSchema as unknown) === Password) jsonSchema.format = "password";
    if (examples.has(zodSchema)) jsonSchema.examples = [examples.get(zodSchema)];
    // Every integer of zod's has these bounds, which are JSON's own.
    if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    // Replies grow within a major version: a client that was generated from this must not refuse a field that is new.
    if (direction === "output" && def.type === "object" && def.catchall === undefined) {
      delete jsonSchema.additionalProperties;
    }
  };
}

function relocateReferences(json: Json, componentName: (name: string) => string): Json {
  if (Array.isArray(json)) return json.map((item) => relocateReferences(item, componentName));
  if (typeof json !== "object" || json === null) return json;
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) =>
      key === "$ref" && typeof value === "string" && value.startsWith("#/$defs/")
        ? [key, `#/components/schemas/${componentName(value.slice("#/$defs/".length))}`]
        : [key, relocateReferences(value, componentName)],
    ),
  );
}
