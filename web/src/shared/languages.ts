/** The languages that the pages speak. */
export const languages = { en: "English", de: "Deutsch" } as const;

export type Language = keyof typeof languages;

export const languageNames = Object.keys(languages) as readonly Language[];

export function isLanguage(name: unknown): name is Language {
  return typeof name === "string" && Object.hasOwn(languages, name);
}

const rightToLeft: readonly string[] = ["ar", "fa", "he", "ur"];

/** How a language is written: `dir` of the document. */
export function directionOf(language: string): "ltr" | "rtl" {
  return rightToLeft.includes(language.split("-")[0] ?? "") ? "rtl" : "ltr";
}
