import { dictionary } from "@zxcvbn-ts/language-common";

/** About 50,000 passwords from published breaches, lower-cased. */
export const commonPasswords: ReadonlySet<string> = new Set(dictionary["passwords-common"]);
