/** What every runtime does with the client. Bundled, and run by the runtime itself: nothing here is of Node.js. */
import {
  type AuthClient,
  createAuthClient,
  failureOf,
  type SessionEvent,
  type TokenStorage,
} from "@countersign/client";
import { cookieJar } from "../../support/cookie-jar.ts";
import type { TestRouter } from "../../support/test-router.ts";

/** What a runtime is given. */
export interface Given {
  /** Where the server is. */
  readonly url: string;
  /** Whether the runtime keeps cookies by itself, as browsers do. Elsewhere a jar does. */
  readonly keepsCookies: boolean;
}

/** What it found out, in the order of the story. */
export type Findings = Readonly<Record<string, unknown>>;

const password = "correct horse battery staple";

export async function run(given: Given): Promise<Findings> {
  return {
    ...(await inMemory(given)),
    ...(await inAStorage(given)),
    ...(await inACookie(given)),
    ...(await inLocalStorage(given)),
  };
}

async function inMemory({ url, keepsCookies }: Given): Promise<Findings> {
  // The default, but for pages.
  const client = createAuthClient<TestRouter>({ url: `${url}/trpc`, ...(keepsCookies && { storage: "memory" }) });
  const events: SessionEvent["type"][] = [];
  client.subscribe(({ type }) => events.push(type));
  const { username } = await client.register({ username: "alice", password });
  const at = new Date();
  const wrote = await client.trpc.write.mutate({ text: "hello", at });
  const isDate = (await client.trpc.auth.sessions.list.query()).every((session) => session.createdAt instanceof Date);
  await expireTokens(url);
  const read = await client.trpc.read.query();
  const refusal = await refusalOf(client.login({ username: "alice", password: "wrong" }));
  await client.logout();
  return { username, wrote, isDate, read, events, refusal, afterwards: client.session };
}

async function inAStorage({ url }: Given): Promise<Findings> {
  const items = new Map<string, string>();
  const storage: TokenStorage = {
    getItem: async (name) => items.get(name) ?? null,
    setItem: async (name, text) => void items.set(name, text),
    removeItem: async (name) => void items.delete(name),
  };
  const open = () => createAuthClient<TestRouter>({ url: `${url}/trpc`, storage });
  await open().register({ username: "bob", password });
  const second = open();
  const storedStart = whoIn(await second.start());
  await expireTokens(url);
  const storedRead = await second.trpc.read.query();
  const third = whoIn(await open().start());
  await second.logout();
  // None is closed: a client must not keep a script alive that has nothing more to do.
  return { storedStart, storedRead, third, storedItems: items.size };
}

async function inACookie({ url, keepsCookies }: Given): Promise<Findings> {
  const { fetch } = cookieJar();
  const options = { url: `${url}/trpc`, storage: "cookie", ...(!keepsCookies && { fetch }) } as const;
  await createAuthClient<TestRouter>(options).register({ username: "carol", password });
  const reloaded = createAuthClient<TestRouter>(options);
  const cookieStart = whoIn(await reloaded.start());
  const cookieRead = await reloaded.trpc.read.query();
  await reloaded.logout();
  const cookieAfterwards = whoIn(await createAuthClient<TestRouter>(options).start());
  return { cookieStart, cookieRead, cookieAfterwards };
}

/** Where there is no `localStorage`, the sign-in is kept in memory instead. */
async function inLocalStorage({ url }: Given): Promise<Findings> {
  const open = () => createAuthClient<TestRouter>({ url: `${url}/trpc`, storage: "localStorage" });
  const first = open();
  await first.register({ username: "dave", password });
  const localRead = await first.trpc.read.query();
  const second = open();
  const localSecond = whoIn(await second.start());
  await first.logout();
  return { localRead, localSecond };
}

function whoIn(session: AuthClient<TestRouter>["session"]): string {
  return session.status === "signed-in" ? session.user.username : session.status;
}

/** The typed reason of a refused sign-in. */
async function refusalOf(signingIn: Promise<unknown>): Promise<unknown> {
  try {
    return await signingIn;
  } catch (error) {
    const failure = failureOf<TestRouter, "auth.login">(error);
    switch (failure?.reason) {
      case "INVALID_CREDENTIALS":
        return failure.reason;
      default:
        return String(error);
    }
  }
}

/** The server's clock goes on by more than an access token lives. */
async function expireTokens(url: string): Promise<void> {
  await (await fetch(`${url}/later`, { method: "POST" })).text();
}
