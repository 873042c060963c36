/** The browser's `localStorage`; `null` where there is none, as on a server, and where the person forbids it. */
export function localStorageOrNull(): Storage | null {
  try {
    const { localStorage } = globalThis;
    // Node 25 has one that can do nothing, unless it is told of a file.
    return typeof localStorage?.getItem === "function" ? localStorage : null;
  } catch {
    return null;
  }
}
