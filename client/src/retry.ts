/** Tries again what the network or a busy server failed, and never what was refused. */
import { TRPCClientError } from "@trpc/client";
import { failureIn } from "./keeper.ts";

const attempts = 4;
/** Twice, four times, eight times so long. */
const pauseMs = 150;
/**
 * A request without an answer for so long is given up: its connection may be dead, and others wait for it. All attempts
 * together end within the server's grace for a refresh whose reply was lost (30 seconds).
 */
const timeoutMs = 6_000;
/** A server that asks for more patience is told of instead. */
const longestPauseMs = 10_000;

/**
 * Does `work` until it succeeds or is refused, a few times at most, with pauses that grow and differ between devices.
 *
 * @throws what `work` threw last.
 */
export async function withRetries<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await withTimeout(work);
    } catch (error) {
      if (attempt === attempts || !isPassing(error)) throw error;
      await pauseAfter(error, attempt);
    }
  }
}

/** Waits before the next try: longer after each, and as long as the server asks. */
export async function pauseAfter(error: unknown, attempt = attempts): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, pauseMsAfter(error, attempt)));
}

/** Whether an error is the network's or the server's own failure, so that the same call may succeed soon. */
export function isPassing(error: unknown): boolean {
  return pauseMsAfter(error, 1) <= longestPauseMs;
}

/** How long to wait before the next try: as the server asks; for ever after a refusal. */
function pauseMsAfter(error: unknown, attempt: number): number {
  const failure = failureIn(error);
  if (failure === null) return pauseMs * 2 ** attempt * (0.5 + Math.random());
  return "retryAfter" in failure.details ? failure.details.retryAfter * 1_000 : Number.POSITIVE_INFINITY;
}

/** Does `work`, and gives it up when it takes too long. */
export async function withTimeout<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      controller.abort();
      // Also where the application's own `fetch` knows nothing of signals.
      reject(new TRPCClientError("The server does not answer."));
    }, timeoutMs);
  });
  try {
    return await Promise.race([work(controller.signal), tooLong]);
  } finally {
    clearTimeout(timer);
  }
}
