import type { SessionRow } from "../../store/schema.ts";

/** A session as it is kept in memory: without what tells of a person, which has no use there and would outlive its row. */
export function asKnown(session: SessionRow): SessionRow {
  return { ...session, address: null, user_agent: null };
}
