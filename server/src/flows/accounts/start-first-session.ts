import type { Caller, Db, Deps } from "../../deps.ts";
import type { StartedSession } from "../sessions/issue-tokens.ts";
import { startSession } from "../sessions/start-session.ts";
import type { Account } from "./account.ts";
import { emailKey, usernameKey } from "./normalise.ts";

/** Signs in whoever has just made an account, on a device that is known from now on. */
export function startFirstSession(deps: Deps, account: Account, caller: Caller): Promise<StartedSession> {
  const names = [usernameKey(account.username), ...(account.email === null ? [] : [emailKey(account.email)])];
  const onStart = (trx: Db) => deps.limiter.rememberDevice(trx, names, caller.address);
  return startSession(deps, account, { caller, amr: ["pwd"], onStart });
}
