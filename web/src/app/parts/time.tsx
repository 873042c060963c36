import { useTimes } from "../use-app.ts";

/** A moment, as its reader writes it. */
export function Time({ at, style = "full" }: { readonly at: Date; readonly style?: "full" | "day" }) {
  const times = useTimes();
  return <time dateTime={at.toISOString()}>{times[style](at)}</time>;
}
