/** Keeps the sign-in as a cookie that no script sees: the server sets it, browsers send it, and there is nothing to refresh. */
import type { CurrentSession, SignedInSession as ServerSession, User } from "@countersign/shared/schemas";
import { endingReasonIn, failureIn, type Held, type Keeper, overtaken, shared } from "./keeper.ts";
import { withLock } from "./lock.ts";
import { createOwedSignOut } from "./owed-sign-out.ts";
import { withRetries, withTimeout } from "./retry.ts";
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
  const name = `countersign ${url}`;
  const tabs = createTabs(name, (reason) => {
    why = reason;
    void ask();
  });
  const signOut = createOwedSignOut(name);
  const first = store.current();
  let held = holding(first.status === "signed-in" ? first.user : null);
  /** Counts sign-ins and sign-outs: the latest is what was meant. */
  let intent = 0;
  /** Counts news: what came while the server was asked may be later than its answer. */
  let news = 0;
  /** Why a call says that nobody is signed in, until the server has been asked. */
  let why: SignedOutReason | undefined;
  let changing: Promise<unknown> = Promise.resolve();

  /**
   * What changes the cookie goes one by one, in all tabs, and questions wait for it: the cookie is then what the last reply
   * said.
   */
  function change<T>(work: () => Promise<T>): Promise<T> {
    const done = changing.then(() => withLock(name, work));
    changing = done.catch(() => {});
    return done;
  }

  function adopt(next: CurrentSession, reason?: SignedOutReason): void {
    if (next?.user.id !== held.user?.id) held = holding(next?.user ?? null);
    if (next === null) store.signOut(reason);
    else store.signIn(next);
  }

  /** Asks the server who the cookie signs in, until its answer is later than all news. */
  const settle = shared(async (): Promise<void> => {
    try {
      for (let seen = -1; seen !== news + intent; ) {
        if (signOut.isOwed()) {
          adopt(null);
          await payOff();
        }
        await changing;
        seen = news + intent;
        const found = await withRetries((signal) => server.auth.session.query(undefined, { signal }));
        if (seen === news + intent) adopt(found, why);
      }
    } catch (error) {
      if (store.isStarting()) store.move({ type: "start-failed", session: { status: "starting", error } });
    }
    why = undefined;
  });

  function ask(): Promise<void> {
    news += 1;
    return settle();
  }

  async function start(): Promise<Session> {
    if (store.isStarting()) await settle();
    return store.current();
  }

  const payOff = shared(() =>
    change(async () => {
      try {
        await withRetries(async (signal) => {
          // Another tab may have, between two tries, and somebody may have signed in since.
          if (signOut.isOwed()) await server.auth.logout.mutate({}, { signal });
        });
      } catch (error) {
        // Whoever had no session has none now.
        if (reasonIn(error) === null) throw error;
      }
      signOut.set(false);
    }),
  );

  function signIn(send: () => Promise<ServerSession>): Promise<User> {
    intent += 1;
    const mine = intent;
    return change(async () => {
      try {
        const next = mine === intent ? await send() : null;
        // Who overtook it comes next, and replaces the cookie or ends it.
        if (next === null || mine !== intent) throw overtaken();
        signOut.set(false);
        adopt(next);
        tabs.tell();
        return next.user;
      } catch (error) {
        // The cookie may be set all the same.
        if (mine === intent) void ask();
        throw error;
      }
    });
  }

  // A server that renders a page knows nothing of it. The page is whoever's it was rendered for until it is paid.
  if (signOut.isOwed() && !store.isStarting()) void payOff().then(ask, ask);

  return {
    start,

    take() {
      // The cookie would still make a call theirs.
      if (signOut.isOwed()) return payOff().then(() => held);
      return store.isStarting() ? start().then(() => held) : held;
    },

    async mend({ user }, error) {
      const reason = reasonIn(error);
      if (reason === null || user === null) return false;
      // The cookie may be another one of the same person by now, as after a step-up: the server knows.
      if (held.user?.id === user.id) {
        why = reason;
        await ask();
        if (held.user === null) tabs.tell(reason);
      }
      return held.user?.id === user.id;
    },

    // A lost reply may have been the new cookie's, and then the old one is worth nothing: the next try replaces both.
    login: (input) => signIn(() => withRetries((signal) => server.auth.cookie.login.mutate(input, { signal }))),
    register: (input) => signIn(() => withTimeout((signal) => server.auth.cookie.register.mutate(input, { signal }))),

    async logout() {
      intent += 1;
      signOut.set(true);
      adopt(null);
      tabs.tell();
      await payOff().finally(() => tabs.tell());
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
