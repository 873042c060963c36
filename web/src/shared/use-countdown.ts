import { useEffect, useState } from "react";

/** The seconds that are left of a wait that begins whenever `start` is another object; 0 when it is over. */
export function useCountdown(start: object | null, seconds: number): number {
  const [left, setLeft] = useState(start === null ? 0 : seconds);
  useEffect(() => {
    if (start === null) {
      setLeft(0);
      return;
    }
    // By the clock: a tab in the background is woken seldom.
    const end = Date.now() + seconds * 1_000;
    const update = () => setLeft(Math.max(0, Math.ceil((end - Date.now()) / 1_000)));
    update();
    const timer = setInterval(update, 1_000);
    return () => clearInterval(timer);
  }, [start, seconds]);
  return left;
}
