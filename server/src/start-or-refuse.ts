import { AuthError } from "@countersign/shared";
import type { Deps, Log } from "./deps.ts";

/** Starts for a request: what is wrong is for the operator to read, and the caller may come again. @throws {AuthError} `UNAVAILABLE` */
export async function startOrRefuse(start: () => Promise<Deps>, log: Log): Promise<Deps> {
  try {
    return await start();
  } catch (error) {
    log.error({ err: error }, "the database cannot be opened");
    throw new AuthError("UNAVAILABLE", { retryAfter: 5 });
  }
}
