/** Which spellings are the same name (after RFC 8265 §3.3: width and compatibility mapped, case mapped, NFC). */

/** The unique key of a username. Idempotent. */
export function usernameKey(username: string): string {
  return fold(username);
}

/** The unique key of an e-mail address. Case is folded in the local part too: no provider in use tells it apart. */
export function emailKey(email: string): string {
  return fold(email.trim());
}

/** The name that a person typed to sign in, in its normal form: what finds the account, and what attempts are counted by. */
export interface LoginKey {
  readonly column: "username_key" | "email_key";
  readonly key: string;
}

/** An e-mail address if it has an `@`, which no username has. */
export function loginKey(login: string): LoginKey {
  return login.includes("@")
    ? { column: "email_key", key: emailKey(login) }
    : { column: "username_key", key: usernameKey(login) };
}

function fold(text: string): string {
  // Lower-casing can leave compatibility and unordered characters behind, so both steps run until nothing changes.
  let folded = text;
  for (;;) {
    const next = folded.normalize("NFKC").toLowerCase().normalize("NFKC");
    if (next === folded) return folded;
    folded = next;
  }
}
