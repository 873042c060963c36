import { auth } from "@countersign/example-notes/auth";
import { createNoteBook } from "@countersign/example-notes/notes";
import { appRouter } from "@countersign/example-notes/router";
import { createContext, type RouterContextProvider } from "react-router";

export const notes = createNoteBook();

/** The IP address of whoever sent a request. */
export const addressContext = createContext<string | null>();

/**
 * The router's procedures as the sender of a request may call them, over no network. Made anew for each request: nothing
 * of one visitor is left for the next.
 *
 * @param resHeaders Where a procedure puts the cookie that it sets.
 */
export async function callerOf(
  { request, context }: { readonly request: Request; readonly context: Readonly<RouterContextProvider> },
  resHeaders = new Headers(),
) {
  const signIn = await auth.createContext({ req: request, address: context.get(addressContext), resHeaders });
  return appRouter.createCaller({ ...signIn, notes });
}
