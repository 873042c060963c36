/**
 * Waits until what was written so far is on the disk, and holds up nobody else: a sync that began before a write says nothing
 * about it, so that whoever comes meanwhile shares the next one.
 *
 * @param sync Asks the system, once at a time. After it has failed, nothing is known of any page that was written since the
 *   one before (the system may count them as written), so that all that ask later are refused likewise.
 */
export function groupSync(sync: () => Promise<void>): () => Promise<void> {
  let running = Promise.resolve();
  let next: Promise<void> | null = null;

  async function afterRunning(): Promise<void> {
    await running;
    next = null;
    running = sync();
    await running;
  }

  return () => {
    next ??= afterRunning();
    return next;
  };
}
