/** Whether a result is a stream: told by the same signs as tRPC tells it, so that both take the same for one. */
export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Symbol.asyncIterator in value;
}
