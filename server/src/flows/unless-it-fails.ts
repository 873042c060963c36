import type { Ticket } from "../engine/limiter.ts";

/** Takes an attempt back when the server itself failed it: an outage must not use up the owner's budget. */
export async function unlessItFails<T>(ticket: Ticket, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // The database may be what failed, and then the first error is the one to tell.
    await ticket.takeBack().catch(() => {});
    throw error;
  }
}
