import { AuthError, type PasswordField, type PasswordRule } from "@countersign/shared";
import type { Settings } from "../../options.ts";

const productName = "countersign";

const sentences = {
  too_short: (settings: Settings) => `must have at least ${settings.minPasswordLength} characters`,
  too_common: () => "is among the most used ones, or one of them with digits around it: choose another",
  is_username: () => "must not be the username",
  is_product_name: () => "must not be the name of this service",
} satisfies Record<PasswordRule, (settings: Settings) => string>;

/**
 * Checks a password that is about to be set (NIST SP 800-63B-4 §3.1.1.2: length, a blocklist, no composition rules).
 *
 * @throws {AuthError} `WEAK_PASSWORD` with the rule, and the field that holds the password.
 */
export async function checkPassword(
  settings: Settings,
  password: string,
  { username, field }: { username: string; field: PasswordField },
): Promise<void> {
  const rule = await brokenRule(settings, password, username);
  if (rule !== null) throw new AuthError("WEAK_PASSWORD", { rule, field }, `"${field}" ${sentences[rule](settings)}`);
}

async function brokenRule(settings: Settings, password: string, username: string): Promise<PasswordRule | null> {
  // Characters are code points: an emoji counts one.
  if ([...password].length < settings.minPasswordLength) return "too_short";
  const word = lettersWithin(password);
  if (word === lettersWithin(username)) return "is_username";
  if (word === productName) return "is_product_name";
  const common = await commonPasswords();
  return common.has(password.toLowerCase()) || common.has(word) ? "too_common" : null;
}

/** "Alice123!" is "alice": digits and signs at the ends make no password out of a name, or out of a common word. */
function lettersWithin(text: string): string {
  const characters = [...text.normalize("NFKC").toLowerCase()];
  // Two scans and not a regular expression: one that looks for the end tries every start, and a stranger chooses the text.
  const first = characters.findIndex(isLetter);
  const last = characters.findLastIndex(isLetter);
  return (first === -1 ? characters : characters.slice(first, last + 1)).join("");
}

function isLetter(character: string): boolean {
  return /\p{L}/u.test(character);
}

/** Loaded when first needed: a server that only signs people in never reads the list. */
async function commonPasswords(): Promise<ReadonlySet<string>> {
  const { commonPasswords } = await import("./common-passwords.ts");
  return commonPasswords;
}
