/** What a server has said was done, noted outside of it. */
import { expect } from "vitest";
import { type Answer, call, password, refresh, signIn, type Tokens } from "./wire.ts";

export interface Ledger {
  /** Somebody new signs up. */
  signUp(url: string): Promise<Answer>;
  /** Somebody who is here already asks for new tokens. */
  refresh(url: string): Promise<Answer>;
  /** Everybody who was told to have an account can sign in, and everybody's session goes on. */
  expectKept(url: string): Promise<void>;
  /** How many have an account. */
  count(): number;
}

export function ledger(): Ledger {
  const people = new Map<string, Tokens>();
  let asked = 0;

  async function refreshOf(url: string, username: string, tokens: Tokens): Promise<Answer> {
    const answer = await refresh(url, tokens);
    if (answer.reason === null) people.set(username, answer.data as Tokens);
    return answer;
  }

  return {
    async signUp(url) {
      asked += 1;
      const username = `person-${asked}`;
      const answer = await call(url, "auth.register", { input: { username, password } });
      if (answer.reason === null) people.set(username, answer.data as Tokens);
      return answer;
    },
    async refresh(url) {
      const [username, tokens] = [...people][asked % people.size] ?? expect.fail("nobody is here yet");
      asked += 1;
      return refreshOf(url, username, tokens);
    },
    async expectKept(url) {
      for (const [username, tokens] of people) {
        expect((await refreshOf(url, username, tokens)).reason, username).toBeNull();
        await signIn(url, username);
      }
    },
    count: () => people.size,
  };
}
