import type { Deps } from "../deps.ts";

/**
 * Lets this node see at once what was just committed to the feed. A failure is no answer to the caller, who would try
 * again what is done: it is logged, and the timer reads the feed within a second.
 */
export async function seeOwnWrite({ feed, log }: Deps): Promise<void> {
  try {
    await feed.seeOwnWrite();
  } catch (error) {
    log.warn({ err: error }, "a change was made, and the feed could not be read after it");
  }
}
