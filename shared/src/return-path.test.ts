import { describe, expect, it, test } from "vitest";
import { defaultReturnPath, returnPath } from "./return-path.ts";

describe("the way back after signing in", () => {
  it.each([
    ["/", "/"],
    ["/account", "/account"],
    ["/account/devices?sort=last#this-one", "/account/devices?sort=last#this-one"],
    ["/notes/ä b", "/notes/%C3%A4%20b"],
    ["/notes/../account", "/account"],
    ["/a?next=https://elsewhere.example", "/a?next=https://elsewhere.example"],
    ["/sign-in-help", "/sign-in-help"],
  ])("is %j", (asked, path) => {
    expect(returnPath(asked)).toBe(path);
  });

  it.each([
    ...[null, undefined, 7, ["/account"], ""],
    ...["account", "https://evil.example", "https:evil.example", "javascript:alert(1)", "data:text/html,x"],
    ...["//evil.example", "///evil.example", "/\\evil.example", "\\/evil.example", "/a\\..\\..\\evil.example"],
    ...["/.//evil.example", "/..//evil.example", "/a/..//evil.example", "/%2e//evil.example", "/./\\evil.example"],
    ...["/\t/evil.example", "/\n/evil.example", "\t//evil.example", " //evil.example", "/\u0000", "/\u202Egnp.exe"],
    ...["//user@evil.example", "//@evil.example/account", "/\u00AD/evil.example"],
    ...["/sign-in", "/sign-in?return_to=/account", "/SIGN-UP", "/setup#code=1", "/reauth/", "/x/../sign-in"],
    `/${"a".repeat(2_000)}`,
  ])("is never %j", (asked) => {
    expect(returnPath(asked)).toBe(defaultReturnPath);
  });
});

test("whatever a way back is, a browser reads it as a page of the same server", () => {
  const parts = ["/", "\\", ".", "..", "%2e", "%2f", "%5c", "@", ":", "evil.example", "\t", "?", "#", "a"];
  for (const first of parts) {
    for (const second of parts) {
      for (const third of parts) {
        for (const fourth of parts) {
          const path = returnPath(`/${first}${second}${third}${fourth}`);
          expect(new URL(path, "https://auth.example").origin, path).toBe("https://auth.example");
          expect(path, path).toMatch(/^\/(?!\/)/);
        }
      }
    }
  }
});
