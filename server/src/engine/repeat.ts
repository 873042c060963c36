import type { Log } from "../deps.ts";

/** Works again and again, one turn at a time. That it goes wrong is logged, and that it no longer does; the next turn tries again. */
export function repeat(
  work: () => Promise<void>,
  options: {
    every: (milliseconds: number, work: () => void) => { stop(): void };
    log: Log;
    milliseconds: number;
    complaint: string;
  },
): { stop(): Promise<void> } {
  const { every, log, milliseconds, complaint } = options;
  let working: Promise<void> | undefined;
  let isDue = false;
  let isFailing = false;

  async function turns(): Promise<void> {
    while (isDue) {
      isDue = false;
      await turn();
    }
    working = undefined;
  }

  async function turn(): Promise<void> {
    try {
      await work();
      if (isFailing) log.info({}, `${complaint}, and works again`);
      isFailing = false;
    } catch (error) {
      // A night's outage is two lines, and not one a second.
      if (!isFailing) log.warn({ err: error }, complaint);
      isFailing = true;
    }
  }

  const timer = every(milliseconds, () => {
    // One that came due during a slow turn follows at once.
    isDue = true;
    working ??= turns();
  });
  return {
    async stop() {
      timer.stop();
      isDue = false;
      await working;
    },
  };
}
