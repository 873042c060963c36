/** Keeps the sign-in as a cookie that no script sees: the server sets it, browsers send it, and there is nothing to refresh. */
import { isAuthError } from "@countersign/shared";
import type { CurrentSession, SignedInSession as ServerSession, User } from "@countersign/shared/schemas";
import { createIntents, endingReasonIn, type Held, type Keeper, overtaken, shared } from "./keeper.ts";
import { withRetries } from "./retry.ts";
import type { Server } from "./server.ts";
import type { Session, SessionStore, SignedOutReason } from "./session.ts";
import { createTabs } from "./tabs.ts";

/** @param options.name The same in all tabs that share the cookie. */
export function createCookieKeeper(options: {
  readonly server: Server;
  readonly store: SessionStore;
  readonly name: string;
}): Keeper {
  const { server, store, name } = options;
  const intents = createIntents();
  const tabs = createTabs(name, () => void ask());
  let held: Held = { accessToken: null, userId: idOf(store.current()) };

  function adopt(next: CurrentSession, reason: SignedOutReason | null = "SIGNED_OUT"): void {
    const before = store.current();
    if (next === null) {
      const wasNobody = before.status !== "signed-in";
      held = { accessToken: null, userId: null };
      if (before.status !== "signed-out")
        store.move({ type: "signed-out", session: { status: "signed-out", reason: wasNobody ? null : reason } });
      return;
    }
    const { user, scopes, expiresAt } = next;
    const isSame = before.status === "signed-in" && before.user.id === user.id;
    if (!isSame) held = { accessToken: null, userId: user.id };
    store.move({
      type: isSame ? "refreshed" : "signed-in",
      session: { status: "signed-in", user, scopes, expiresAt, isRefreshing: false },
    });
  }

  /** Asks the server who the cookie signs in. */
  const ask = shared(async (): Promise<void> => {
    const isLate = intents.watch();
    try {
      const found = await withRetries((signal) => server.auth.session.query(undefined, { signal }));
      if (!isLate()) adopt(found);
    } catch (error) {
      if (store.current().status === "starting")
        store.move({ type: "start-failed", session: { status: "starting", error } });
    }
  });

  async function start(): Promise<Session> {
    if (store.current().status === "starting") await ask();
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
    const isLate = intents.begin();
    const next = await send();
    if (isLate()) {
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

    take: () => (store.current().status === "starting" ? start().then(() => held) : held),

    async mend(sentWith, error) {
      const reason = reasonIn(error);
      // A call from before the last sign-in says nothing about it.
      if (reason !== null && sentWith === held && held.userId !== null) {
        adopt(null, reason);
        tabs.tell();
      }
      return false;
    },

    login: (input) => signIn(() => server.auth.cookie.login.mutate(input)),
    register: (input) => signIn(() => server.auth.cookie.register.mutate(input)),

    async logout() {
      intents.begin();
      adopt(null);
      await endOnServer().finally(tabs.tell);
    },

    close: tabs.close,
  };
}

/** Why the cookie signs nobody in, if an error says that it does not. */
function reasonIn(error: unknown): SignedOutReason | null {
  if (isAuthError(error) && error.data.reason === "TOKEN_MISSING") return "SIGNED_OUT";
  return endingReasonIn(error);
}

function idOf(session: Session): string | null {
  return session.status === "signed-in" ? session.user.id : null;
}
