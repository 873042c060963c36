import { describe, expect, it } from "vitest";
import { themeOf } from "./theme.ts";

describe("themeOf", () => {
  it("sets the accent, and what is read on it", () => {
    expect(themeOf({ light: "#1a5ab8", dark: "#8ab4f8" })).toBe(
      ":root{--accent:light-dark(#1a5ab8,#8ab4f8);--on-accent:light-dark(#ffffff,#000000)}",
    );
  });

  it.each([
    [{ light: "red", dark: "#8ab4f8" }, '"accent.light" must be a colour as in #1a5ab8'],
    [{ light: "#1a5ab8", dark: "#fff;}body{display:none" }, '"accent.dark" must be a colour'],
    [{ light: "#ffd54f", dark: "#8ab4f8" }, /"accent\.light" cannot be read on #ffffff: its contrast is 1\.4/],
    [{ light: "#1a5ab8", dark: "#1a5ab8" }, /"accent\.dark" cannot be read on #1d2128.*Choose a lighter one/],
  ])("refuses %o", (accent, message) => {
    expect(() => themeOf(accent)).toThrow(message);
  });
});
