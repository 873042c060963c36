import { type ActionFunctionArgs, redirect } from "react-router";
import { callerOf } from "../caller.server.ts";

/** The form of a page whose script is not there yet. */
export async function action(visit: ActionFunctionArgs) {
  const headers = new Headers();
  const caller = await callerOf(visit, headers);
  if ((await caller.auth.session()) !== null) await caller.auth.logout();
  return redirect("/login", { headers });
}
