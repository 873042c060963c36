import { useEffect, useState } from "react";

/** How long something has been under way: no word before 300 ms, as most of it is done by then. */
export type Waiting = "no" | "a moment" | "some time" | "long";

const steps = [
  { after: 300, waiting: "a moment" },
  { after: 5_000, waiting: "some time" },
  { after: 15_000, waiting: "long" },
] as const;

/** How long it has been since `isPending` became true. */
export function useWaiting(isPending: boolean): Waiting {
  const [waiting, setWaiting] = useState<Waiting>("no");
  useEffect(() => {
    setWaiting("no");
    if (!isPending) return;
    const timers = steps.map(({ after, waiting }) => setTimeout(() => setWaiting(waiting), after));
    return () => timers.forEach(clearTimeout);
  }, [isPending]);
  return waiting;
}
