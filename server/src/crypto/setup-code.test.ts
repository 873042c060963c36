import { expect, it } from "vitest";
import type { Secrets } from "./sealing.ts";
import { isSetupCode, setupCodeOf } from "./setup-code.ts";

const secrets = (fill: number, ...accepted: number[]): Secrets => [
  new Uint8Array(32).fill(fill),
  ...accepted.map((each) => new Uint8Array(32).fill(each)),
];

it("is the same for the same secret, whatever else is accepted, and another for another", () => {
  const code = setupCodeOf(secrets(1));
  expect(code).toMatch(/^(?:[0-9a-f]{4}-){4}[0-9a-f]{4}$/);
  expect(setupCodeOf(secrets(1, 2))).toBe(code);
  expect(setupCodeOf(secrets(2, 1))).not.toBe(code);
});

it("is taken as a person writes it, and no other is", () => {
  const code = setupCodeOf(secrets(1));
  for (const written of [code, code.toUpperCase(), ` ${code.replaceAll("-", "")} `]) {
    expect(isSetupCode(written, code)).toBe(true);
  }
  const other = setupCodeOf(secrets(2));
  for (const wrong of ["", other, code.slice(1), code.slice(0, -1), `${code}0`, `${code}00`, `${code}-${code}`]) {
    expect(isSetupCode(wrong, code), wrong).toBe(false);
  }
});
