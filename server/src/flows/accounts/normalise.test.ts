import { Email, Username } from "@countersign/shared/schemas";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { emailKey, loginKey, usernameKey } from "./normalise.ts";

const username = fc
  .string({ unit: "grapheme", minLength: 2, maxLength: 20 })
  .filter((text) => Username.safeParse(text).success);
const asciiUsername = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,20}[a-z0-9]$/);

describe("the key of a username", () => {
  it("is its own key", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(usernameKey(usernameKey(text))).toBe(usernameKey(text));
      }),
    );
  });

  it("is never empty, and never has an @, for a username that is taken", () => {
    fc.assert(
      fc.property(username, (name) => {
        expect(usernameKey(name)).not.toBe("");
        expect(usernameKey(name)).not.toContain("@");
      }),
    );
  });

  it("is one for every case, width and composition", () => {
    fc.assert(
      fc.property(username, (name) => {
        for (const form of ["NFC", "NFD", "NFKC", "NFKD"] as const)
          expect(usernameKey(name.normalize(form))).toBe(usernameKey(name));
      }),
    );
    fc.assert(
      fc.property(asciiUsername, (name) => {
        expect(usernameKey(name.toUpperCase())).toBe(usernameKey(name));
        const wide = name.replace(/[!-~]/g, (character) => String.fromCharCode(character.charCodeAt(0) + 0xfee0));
        expect(usernameKey(wide)).toBe(usernameKey(name));
      }),
    );
  });

  it("keeps different ASCII usernames apart", () => {
    fc.assert(
      fc.property(asciiUsername, asciiUsername, (one, other) => {
        expect(usernameKey(one) === usernameKey(other)).toBe(one === other);
      }),
    );
  });

  it("cannot be mistaken for an e-mail address at sign-in", () => {
    fc.assert(
      fc.property(username, fc.emailAddress(), (name, address) => {
        expect(loginKey(name)).toEqual({ column: "username_key", key: usernameKey(name) });
        if (Email.safeParse(address).success)
          expect(loginKey(address)).toEqual({ column: "email_key", key: emailKey(address) });
      }),
    );
  });
});
