/** Keeps the sign-in as a cookie that no script sees: the server sets it, browsers send it, and there is nothing to refresh. */
import type { CurrentSession, SignedInSession as ServerSession, User } from "@countersign/shared/schemas";
import { endingReasonIn, failureIn, type Held, type Keeper, overtaken, shared } from "./keeper.ts";
import { withRetries } from "./retry.ts";
import type { Server } from "./server.ts";
import type { Session, SessionStore, SignedOutReason } from "./session.ts";
import { createTabs } from "./tabs.ts";

/** @param options.url Where the server is: tabs with the same share the cookie. */
export function createCookieKeeper(options: {
  readonly server: Server;
  readonly store: SessionStore;
  readonly url: string;
}): Keeper {
  const { server, store, url } = options;
  /** Counts sign-ins and sign-outs: the latest is what was meant. */
  let intent = 0;
  const tabs = createTabs(url, () => void ask());
  const first = store.current();
  let held = holding(first.status === "signed-in" ? first.user : null);

  function adopt(next: CurrentSession, reason?: SignedOutReason): void {
    if (next?.user.id !== held.user?.id) held = holding(next?.user ?? null);
    if (next === null) store.signOut(reason);
    else store.signIn(next);
  }

  /** Asks the server who the cookie signs in. */
  const ask = shared(async (): Promise<void> => {
    const seen = intent;
    try {
      const found = await withRetries((signal) => server.auth.session.query(undefined, { signal }));
      if (seen === intent) adopt(found);
    } catch (error) {
      if (store.isStarting()) store.move({ type: "start-failed", session: { status: "starting", error } });
    }
  });

  async function start(): Promise<Session> {
    if (store.isStarting()) await ask();
    return store.current();
  }

  async function endOnServer(): Promise<void> {
    try {
      await server.auth.logout.mutate({});
    } catch (error) {
      // Whoever had no session has none now.
      if (reasonIn(error) === null) throw error;
    }
  }

  async function signIn(send: () => Promise<ServerSession>): Promise<User> {
    intent += 1;
    const mine = intent;
    const next = await send();
    if (mine !== intent) {
      // The cookie is set by now, whatever came after.
      if (store.current().status === "signed-out") await endOnServer();
      else await ask();
      throw overtaken();
    }
    adopt(next);
    tabs.tell();
    return next.user;
  }

  return {
    start,

    take: () => (store.isStarting() ? start().then(() => held) : held),

    async mend(sentWith, error) {
      const reason = reasonIn(error);
      // A call from before the last sign-in says nothing about it.
      if (reason !== null && sentWith === held && held.user !== null) {
        adopt(null, reason);
        tabs.tell();
      }
      return false;
    },

    login: (input) => signIn(() => server.auth.cookie.login.mutate(input)),
    register: (input) => signIn(() => server.auth.cookie.register.mutate(input)),

    async logout() {
      intent += 1;
      adopt(null);
      await endOnServer().finally(tabs.tell);
    },

    listen: tabs.listen,
    close: tabs.close,
  };
}

/** A new object for each person, so that calls can be told apart by whose they were. */
function holding(user: User | null): Held {
  return { accessToken: null, user };
}

/** Why the cookie signs nobody in, if an error says that it does not. */
function reasonIn(error: unknown): SignedOutReason | null {
  return failureIn(error)?.reason === "TOKEN_MISSING" ? "SIGNED_OUT" : endingReasonIn(error);
}
