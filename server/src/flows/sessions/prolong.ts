import type { Settings } from "../../options.ts";
import type { SessionRow } from "../../store/schema.ts";

/**
 * A session that is in use is prolonged this often, and not at each use: its end is in an index, and where that stays as it is
 * a database writes one page for a refresh, and not several.
 */
const prolongEveryMs = 3_600_000;

/** Often enough that a session which is used never ends for want of use, however short it may lie idle. */
export function prolongAfterMs({ settings }: { readonly settings: Pick<Settings, "refreshTtlSeconds"> }): number {
  return Math.min(prolongEveryMs, settings.refreshTtlSeconds * 100);
}

/**
 * Until when a session may lie idle from now on: as its row says already, unless that is now much later, or earlier as after a
 * change of the settings, or the end of it all.
 */
export function endOfIdleness(
  deps: { readonly settings: Pick<Settings, "refreshTtlSeconds"> },
  session: Pick<SessionRow, "expires_at" | "ends_at">,
  now: number,
): number {
  const end = Math.min(now + deps.settings.refreshTtlSeconds * 1_000, session.ends_at);
  const isMoved = Math.abs(end - session.expires_at) >= prolongAfterMs(deps) || end === session.ends_at;
  return isMoved ? end : session.expires_at;
}
