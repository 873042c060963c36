/** Calls as they go over the wire: for tests that count replies, and whose clients must not mend anything. */

/** What a call was answered. */
export interface Answer {
  readonly status: number;
  /** `null` where it was answered with data. */
  readonly reason: string | null;
  readonly headers: Headers;
  readonly data: unknown;
}

export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
}

export const password = "correct horse battery staple";

/** A mutation, or a query where no input is given. */
export async function call(
  url: string,
  path: string,
  { input, token, headers = {} }: { input?: unknown; token?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const response = await fetch(`${url}/trpc/${path}`, {
    ...(input !== undefined && { method: "POST", body: JSON.stringify({ json: input }) }),
    headers: {
      "content-type": "application/json",
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
  });
  const body = (await response.json()) as {
    result?: { data: { json: unknown } };
    error?: { json: { data: { reason: string | null } } };
  };
  return {
    status: response.status,
    reason: body.error === undefined ? null : (body.error.json.data.reason ?? "NONE"),
    headers: response.headers,
    data: body.result?.data.json ?? null,
  };
}

/** Calls, and expects to be answered with tokens. */
async function tokensOf(answer: Promise<Answer>): Promise<Tokens> {
  const { data, reason } = await answer;
  if (reason !== null) throw new Error(`refused: ${reason}`);
  return data as Tokens;
}

export const signUp = (url: string, username: string) =>
  tokensOf(call(url, "auth.register", { input: { username, password } }));

export const signIn = (url: string, username: string) =>
  tokensOf(call(url, "auth.login", { input: { username, password } }));

export const refresh = (url: string, { refreshToken }: Tokens) =>
  call(url, "auth.refresh", { input: { refreshToken } });

export const signOut = (url: string, { accessToken }: Tokens) =>
  call(url, "auth.logout", { input: {}, token: accessToken });

/** A protected call, which touches no database. */
export const whoami = (url: string, { accessToken }: Tokens) => call(url, "whoami", { token: accessToken });
