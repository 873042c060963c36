import { v7 } from "uuid";

/** A new UUIDv7 (RFC 9562 §5.7): ordered by time, so that indexes stay compact. */
export function newId(now: number, random: Uint8Array): string {
  return v7({ msecs: now, random });
}
