/** Names that superjson refuses to send. */
const refusedNames = new Set(["__proto__", "constructor", "prototype"]);

/**
 * Whether a value is what JSON carries as it is: superjson would add nothing to it. Texts, booleans, `null`, numbers that
 * JSON has, and plain objects and arrays of them, each in one place.
 */
export function isPlainData(value: unknown): boolean {
  return isPlain(value, new Set());
}

function isPlain(value: unknown, seen: Set<object>): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0);
    case "object":
      return value === null || isPlainTree(value, seen);
    default:
      return false;
  }
}

function isPlainTree(value: object, seen: Set<object>): boolean {
  // What is in two places is one thing to superjson, and what is within itself has no end.
  if (seen.has(value)) return false;
  seen.add(value);
  // A method of this name would say something else.
  if ("toJSON" in value) return false;
  if (Array.isArray(value)) {
    // An index that is missing is read as what is no data.
    for (let index = 0; index < value.length; index += 1) if (!isPlain(value[index], seen)) return false;
    return Object.getPrototypeOf(value) === Array.prototype;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  for (const name of Object.keys(value)) {
    if (refusedNames.has(name) || !isPlain((value as Record<string, unknown>)[name], seen)) return false;
  }
  return true;
}
