/** What is in an access token, for whoever looks at it. Nothing is verified: that is the server's work. */
export interface DecodedToken {
  readonly header: string;
  /** `null` where it is encrypted. */
  readonly payload: string | null;
  /** When it expires, in epoch milliseconds; `null` where it does not say. */
  readonly expiresAt: number | null;
}

/** `null` for what is no token. */
export function decodeToken(text: string): DecodedToken | null {
  const parts = text.trim().split(".");
  if (parts.length !== 3 && parts.length !== 5) return null;
  const header = jsonIn(parts[0]);
  if (header === null) return null;
  if (parts.length === 5) return { header: pretty(header), payload: null, expiresAt: null };
  const payload = jsonIn(parts[1]);
  if (payload === null) return null;
  const { exp } = payload;
  return { header: pretty(header), payload: pretty(payload), expiresAt: typeof exp === "number" ? exp * 1_000 : null };
}

function jsonIn(part: string | undefined): Record<string, unknown> | null {
  try {
    const bytes = Uint8Array.from(atob((part ?? "").replaceAll("-", "+").replaceAll("_", "/")), (letter) =>
      letter.charCodeAt(0),
    );
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}

function pretty(value: object): string {
  return JSON.stringify(value, null, 2);
}
