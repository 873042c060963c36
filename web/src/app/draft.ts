/** What was typed into a form that has to wait for the password page. Never a password. Gone with the tab, or when it is taken. */
const key = "countersign-draft";

export function keepDraft(fields: Readonly<Record<string, string>>): void {
  try {
    sessionStorage.setItem(key, JSON.stringify({ path: location.pathname, fields }));
  } catch {
    // Where nothing can be kept it is typed again.
  }
}

/** What was kept for this page, once. */
export function takeDraft(): Readonly<Record<string, string>> {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(key) ?? "null");
    if (!isDraft(kept) || kept.path !== location.pathname) return {};
    sessionStorage.removeItem(key);
    return kept.fields;
  } catch {
    return {};
  }
}

function isDraft(kept: unknown): kept is { path: string; fields: Record<string, string> } {
  return typeof kept === "object" && kept !== null && "path" in kept && "fields" in kept;
}
