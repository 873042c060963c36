/** Origins of browsers (RFC 6454), exactly as they send them. */

/** To a URL a `*` is a host like any other, but whoever writes one means more than that. */
export function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text && !text.includes("*");
}

/** Exact matches only: no wildcard, no prefix, no `null`. @throws {TypeError} */
export function checkOrigins(origins: readonly string[]): string[] {
  const wrong = origins.find((origin) => !isOrigin(origin));
  if (wrong === undefined) return [...origins];
  throw new TypeError(`"origins" must be origins, as in "https://app.example": not ${JSON.stringify(wrong)}`);
}
