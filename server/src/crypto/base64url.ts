/** Base64url without padding, in its one canonical form (RFC 4648 §3.5 and §5). */

// Groups of four, then at most one short group whose unused low bits are zero: one text for one sequence of bytes.
const canonical = /^(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?$/;

/**
 * Tells whether a text is canonical unpadded base64url. The empty text is.
 *
 * Decoders are lenient: most accept padding, white space, and a last character with stray bits, so that many texts mean
 * the same bytes. A token must have one spelling only.
 */
export function isCanonicalBase64url(text: string): boolean {
  return canonical.test(text);
}
