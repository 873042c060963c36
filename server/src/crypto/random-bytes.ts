const poolLength = 4_096;

/**
 * Cryptographically strong random bytes, asked for by the page: the platform takes as long for 16 of them. What was given is
 * kept nowhere.
 */
export function createRandomBytes(): (length: number) => Uint8Array<ArrayBuffer> {
  const pool = new Uint8Array(poolLength);
  let used = poolLength;
  return (length) => {
    if (length > poolLength) return crypto.getRandomValues(new Uint8Array(length));
    if (used + length > poolLength) {
      crypto.getRandomValues(pool);
      used = 0;
    }
    const bytes = pool.slice(used, used + length);
    pool.fill(0, used, used + length);
    used += length;
    return bytes;
  };
}
