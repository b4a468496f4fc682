/** The order that values have by themselves. */

/**
 * Among which values a value has an order; null if it has none. Two values
 * can be compared if this is the same for both.
 */
export function rankingOf(value: unknown): string | null {
  switch (typeof value) {
    case "number":
      return Number.isNaN(value) ? null : "number";
    case "bigint":
      return "number";
    case "string":
      return "string";
    case "object":
      if (value instanceof Date) {
        return Number.isNaN(value.getTime()) ? null : "date";
      }
      if (Array.isArray(value)) {
        const first = rankingOf(value[0]);
        return first === null ? null : `array of ${first}`;
      }
      return null;
    default:
      return null;
  }
}

/** Below 0 where `a` comes first, above 0 where `b` does. */
export function compareByValue(a: unknown, b: unknown): number {
  if (typeof a === "number" && typeof b === "number") {
    return a < b ? -1 : a > b ? 1 : 0;
  }
  if (Array.isArray(a) && Array.isArray(b)) return compareArrays(a, b);
  // Only numbers, bigints, strings and dates come here.
  const x = a as number;
  const y = b as number;
  return x < y ? -1 : x > y ? 1 : 0;
}

/** As Python's tuples: the first difference decides, then the length. */
function compareArrays(a: unknown[], b: unknown[]): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const ranking = rankingOf(a[i]);
    if (ranking === null || ranking !== rankingOf(b[i])) continue;
    const difference = compareByValue(a[i], b[i]);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
