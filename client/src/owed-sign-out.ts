/** Remembers a sign-out that the server has not heard of, for all tabs and over a reload: the cookie is still there. */
import { localStorageOrNull } from "./local-storage.ts";

export interface OwedSignOut {
  isOwed(): boolean;
  set(isOwed: boolean): void;
}

/** @param name The same in all tabs that share the cookie. */
export function createOwedSignOut(name: string): OwedSignOut {
  // Only in a page: Node warns of whoever looks at its own.
  const storage = globalThis.document === undefined ? null : localStorageOrNull();
  /** Where nothing can be stored. */
  let isOwedHere = false;
  return {
    // What another tab has paid or taken back is no longer owed here.
    isOwed: () => isOwedHere || storage?.getItem(name) != null,
    set(isOwed) {
      isOwedHere = isOwed && storage === null;
      try {
        if (isOwed) storage?.setItem(name, "sign-out");
        else storage?.removeItem(name);
      } catch {
        isOwedHere = isOwed;
      }
    },
  };
}
