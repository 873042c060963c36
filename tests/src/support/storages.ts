/** Places for tokens, as applications have them. */
import type { TokenStorage } from "@countersign/client";

/** Like `localStorage`: answers at once, and is shared by every client that is given it. */
export function syncStorage(): TokenStorage & { readonly items: Map<string, string> } {
  const items = new Map<string, string>();
  return {
    items,
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, text) => void items.set(name, text),
    removeItem: (name) => void items.delete(name),
  };
}

/** Like a keychain: answers later, and sometimes not at all. */
export function asyncStorage() {
  const { items, ...inner } = syncStorage();
  const state = { isLocked: false };
  const later = async <T>(work: () => T): Promise<T> => {
    await new Promise((resolve) => setImmediate(resolve));
    if (state.isLocked) throw new Error("the keychain is locked");
    return work();
  };
  return Object.assign(state, {
    items,
    getItem: (name: string) => later(() => inner.getItem(name) as string | null),
    setItem: (name: string, text: string) => later(() => void inner.setItem(name, text)),
    removeItem: (name: string) => later(() => void inner.removeItem(name)),
  });
}
