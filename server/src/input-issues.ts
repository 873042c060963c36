/** What a validator found wrong with an input, in words for people: the field and the rule, never a value. */
import type { InputIssue } from "@countersign/shared";

/** An issue as zod has it, and as every validator of the Standard Schema does. */
export interface FoundIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
  /** Zod's: the fields that a strict object does not know. */
  readonly keys?: readonly string[];
}

/** The most that are told: more than a form shows, and an input of 20,000 wrong members gets no reply of a megabyte. */
const maxIssues = 20;

/** Reads a validator's issues. A schema's own sentences stay; those that zod has by itself are said in ours. */
export function readIssues(found: readonly FoundIssue[]): InputIssue[] {
  return found.slice(0, maxIssues).map((issue) => {
    const path = (issue.path ?? []).map((part) => {
      const key = typeof part === "object" ? part.key : part;
      return typeof key === "number" ? key : String(key);
    });
    return { path, message: sentenceOf(issue, nameOf(path)) };
  });
}

/** An issue as a message by itself: it names the field. */
export function toSentence({ path, message }: InputIssue): string {
  return path.length === 0 || message.includes(nameOf(path)) ? message : `${nameOf(path)}: ${message}`;
}

/** What zod found wrong, a sentence each: for errors that a developer reads. */
export function sentencesOf(error: { readonly issues: readonly FoundIssue[] }): string[] {
  return readIssues(error.issues).map(toSentence);
}

const comparisons: Readonly<Record<string, string>> = {
  "<=": "at most",
  ">=": "at least",
  "<": "less than",
  ">": "more than",
};

function sentenceOf({ message, keys }: FoundIssue, field: string): string {
  if (keys !== undefined && message.startsWith("Unrecognized key")) {
    return `${field} has fields that are not known: ${keys
      .slice(0, 3)
      .map((key) => JSON.stringify(key.slice(0, 64)))
      .join(", ")}`;
  }
  const size = /^Too (?:big|small): expected \w+ to (?<verb>be|have) (?<sign>[<>]=?)(?<amount>.+)$/.exec(
    message,
  )?.groups;
  if (size) return `${field} must ${size.verb} ${comparisons[size.sign ?? ""]} ${size.amount}`;
  const type = /^Invalid input: expected (?<expected>\w+), received (?<received>\w+)$/.exec(message)?.groups;
  if (!type) return message;
  return type.received === "undefined" ? `${field} is missing` : `${field} must be ${withArticle(type.expected ?? "")}`;
}

function nameOf(path: InputIssue["path"]): string {
  return path.length === 0 ? "The input" : `"${path.join(".")}"`;
}

function withArticle(noun: string): string {
  return `${/^[aeio]/.test(noun) ? "an" : "a"} ${noun}`;
}
