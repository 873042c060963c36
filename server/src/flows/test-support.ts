/** Sign-ins as the holder of tokens gets them, for tests of flows. */
import type { LoginInput, RefreshInput, RegisterInput, SignedIn } from "@countersign/shared/schemas";
import type { Caller, Deps } from "../deps.ts";
import * as accounts from "./accounts/register.ts";
import { toSignedIn } from "./sessions/issue-tokens.ts";
import * as logins from "./sessions/login.ts";
import * as refreshes from "./sessions/refresh.ts";

export async function register(deps: Deps, input: RegisterInput, caller: Caller): Promise<SignedIn> {
  return toSignedIn(deps, await accounts.register(deps, input, caller));
}

export async function login(deps: Deps, input: LoginInput, caller: Caller): Promise<SignedIn> {
  return toSignedIn(deps, await logins.login(deps, input, caller));
}

export async function refresh(deps: Deps, input: RefreshInput, caller: Caller): Promise<SignedIn> {
  return toSignedIn(deps, await refreshes.refresh(deps, input, caller));
}
