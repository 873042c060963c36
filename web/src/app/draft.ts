/** What was typed into a form that has to wait for the password page. Never a password. Gone with the tab, or when it is taken. */
import * as z from "zod/mini";

const key = "countersign-draft";
const Draft = z.object({ userId: z.string(), path: z.string(), fields: z.record(z.string(), z.string()) });

/** @param userId Whose it is: nobody else who signs in here sees it. */
export function keepDraft(userId: string, fields: Readonly<Record<string, string>>): void {
  try {
    sessionStorage.setItem(key, JSON.stringify({ userId, path: location.pathname, fields }));
  } catch {
    // Where nothing can be kept it is typed again.
  }
}

/** What was kept for this page and this person, once. */
export function takeDraft(userId: string): Readonly<Record<string, string>> {
  try {
    const draft = Draft.parse(JSON.parse(sessionStorage.getItem(key) ?? "null"));
    if (draft.userId !== userId) sessionStorage.removeItem(key);
    if (draft.userId !== userId || draft.path !== location.pathname) return {};
    sessionStorage.removeItem(key);
    return draft.fields;
  } catch {
    return {};
  }
}
