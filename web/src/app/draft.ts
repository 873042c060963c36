/** What was typed into a form that has to wait for the password page. Never a password. Gone with the tab, or when it is taken. */
const key = "countersign-draft";

interface Draft {
  readonly userId: string;
  readonly path: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** @param userId Whose it is: nobody else who signs in here sees it. */
export function keepDraft(userId: string, fields: Draft["fields"]): void {
  const draft: Draft = { userId, path: location.pathname, fields };
  try {
    sessionStorage.setItem(key, JSON.stringify(draft));
  } catch {
    // Where nothing can be kept it is typed again.
  }
}

/** What was kept for this page and this person, once. */
export function takeDraft(userId: string): Draft["fields"] {
  try {
    // Of this page's own writing.
    const draft = JSON.parse(sessionStorage.getItem(key) ?? "null") as Draft | null;
    if (draft !== null && draft.userId !== userId) sessionStorage.removeItem(key);
    if (draft?.userId !== userId || draft.path !== location.pathname) return {};
    sessionStorage.removeItem(key);
    return draft.fields;
  } catch {
    return {};
  }
}
