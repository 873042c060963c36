/** Tries again what the network or a busy server failed, and never what was refused. */
import { isAuthError } from "@countersign/shared";

const attempts = 4;
const firstPauseMs = 300;
/** A request without an answer for so long is given up: its connection may be dead, and others wait for it. */
const timeoutMs = 10_000;
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
      const pauseMs = pauseAfter(error, attempt);
      if (attempt === attempts || pauseMs === null) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

/** Whether an error is the network's or the server's own failure, so that the same call may succeed later. */
export function isPassing(error: unknown): boolean {
  return pauseAfter(error, 1) !== null;
}

/** How long to wait before the next try; `null` when it would be refused again. */
function pauseAfter(error: unknown, attempt: number): number | null {
  if (isAuthError(error)) {
    const { details } = error.data;
    const pauseMs = "retryAfter" in details ? details.retryAfter * 1_000 : Number.POSITIVE_INFINITY;
    return pauseMs > longestPauseMs ? null : pauseMs * (1 + Math.random() / 4);
  }
  const status = statusOf(error);
  if (status !== null && status >= 400 && status < 500) return null;
  return firstPauseMs * 2 ** (attempt - 1) * (0.5 + Math.random());
}

/** The HTTP status that a tRPC client notes with an error; `null` when no reply came. */
function statusOf(error: unknown): number | null {
  const { meta } = error as { readonly meta?: { readonly response?: { readonly status?: unknown } } };
  const status = meta?.response?.status;
  return typeof status === "number" ? status : null;
}

async function withTimeout<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), timeoutMs);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
  }
}
