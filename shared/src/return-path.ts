/** Where a person who does not say gets to after signing in. */
export const defaultReturnPath = "/account";

/** Pages that nobody who has just signed in wants to see again. */
const passedThrough = /^\/(?:sign-in|sign-up|setup|reauth)(?:[/?#]|$)/i;
const longest = 2_000;
/** Any: only that it is another place than the one which the path may lead to. */
const here = "https://here.invalid";

/**
 * Where to go after signing in: the path that was asked for where it leads to a page of this server, else
 * {@link defaultReturnPath}. What looks like a path to a person may be another website's address to a browser, so that only
 * what reads the same both ways is taken (CWE-601).
 *
 * `returnPath("/account?tab=2")` is that path; `returnPath("//evil.example")` is `"/account"`.
 */
export function returnPath(asked: unknown): string {
  if (typeof asked !== "string" || asked.length > longest || !/^\/(?![/\\])[^\\\p{C}]*$/u.test(asked))
    return defaultReturnPath;
  if (!URL.canParse(asked, here)) return defaultReturnPath;
  const { origin, pathname, search, hash } = new URL(asked, here);
  const path = pathname + search + hash;
  // Once more: without its dots, "/.//evil.example" is an address.
  if (origin !== here || path.startsWith("//") || passedThrough.test(pathname)) return defaultReturnPath;
  return path;
}
