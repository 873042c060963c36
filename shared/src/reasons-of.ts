/** Which reasons each procedure of a router declares: carried in tRPC's types, and read from them by path. */
import type { Reason } from "./reasons.ts";
import type { WireError } from "./wire.ts";

/** Told apart from the shape that a router has for all its errors, with which tRPC unites it. Not on the wire. */
declare const raised: unique symbol;

/** The shape of the errors of a procedure that declares its reasons. Exists in types only: what arrives is a {@link WireError}. */
export interface Raised<R extends Reason> extends WireError {
  readonly [raised]: R;
}

/** A router, as far as its types tell of its procedures. */
export interface RouterLike {
  readonly _def: { readonly record: object };
}

/** The paths of a router's procedures, as in `"notes.create"`. */
export type ProcedurePath<Router extends RouterLike> = PathsIn<Router["_def"]["record"]>;

type PathsIn<RouterRecord> = {
  [Name in keyof RouterRecord & string]: RouterRecord[Name] extends BuiltProcedure
    ? Name
    : `${Name}.${PathsIn<RouterRecord[Name]>}`;
}[keyof RouterRecord & string];

/** What tells a procedure from a router within one; cheaper to compare than all of a procedure. */
interface BuiltProcedure {
  readonly _def: { readonly procedure: true };
}

type ProcedureAt<RouterRecord, Path extends string> = Path extends keyof RouterRecord
  ? RouterRecord[Path]
  : Path extends `${infer Name extends keyof RouterRecord & string}.${infer Rest}`
    ? ProcedureAt<RouterRecord[Name], Rest>
    : never;

interface ProcedureTypes {
  readonly input: unknown;
  readonly errorShape: unknown;
}

type TypesAt<Router extends RouterLike, Path extends string> =
  ProcedureAt<Router["_def"]["record"], Path> extends {
    readonly _def: { readonly $types: infer Types extends ProcedureTypes };
  }
    ? Types
    : never;

/** The input of the procedure at a path of a router, as a client gives it. */
export type InputOf<Router extends RouterLike, Path extends ProcedurePath<Router>> = TypesAt<Router, Path>["input"];

/**
 * The reasons for which a procedure can refuse a call: those of its guard, those that it declares with `raises`, and
 * `BAD_REQUEST` if it has an input. Every reason for a procedure that declares nothing.
 *
 * @example
 * ```ts
 * type LoginReason = ReasonsOf<AppRouter, "auth.login">;
 * ```
 */
export type ReasonsOf<Router extends RouterLike, Path extends ProcedurePath<Router>> =
  // Inferred, so that editors show the reasons and not all of the router that they were read from.
  Declared<TypesAt<Router, Path>["errorShape"]> | OfInput<InputOf<Router, Path>> extends infer R extends Reason
    ? R
    : never;

type Declared<Shape> = [Extract<Shape, AnyRaised>] extends [never] ? Reason : Extract<Shape, AnyRaised>[typeof raised];

interface AnyRaised {
  readonly [raised]: Reason;
}

type OfInput<Input> = [unknown] extends [Input] ? "BAD_REQUEST" : [Input] extends [NoInput] ? never : "BAD_REQUEST";

/** tRPC's word for it. */
type NoInput = ReturnType<() => void>;
