/** A tab that hangs must not keep the others waiting: without the lock, the server still gives all of them an answer. */
const longestWaitMs = 15_000;

/** Does `work` while no other tab of the origin does anything under the same name. */
export async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  const locks = globalThis.navigator?.locks;
  if (locks === undefined) return work();
  let working: Promise<T> | undefined;
  const workOnce = () => {
    working ??= work();
    return working;
  };
  try {
    return await locks.request(name, { signal: AbortSignal.timeout(longestWaitMs) }, workOnce);
  } catch {
    // Its own failure, or the lock's.
    return await workOnce();
  }
}
