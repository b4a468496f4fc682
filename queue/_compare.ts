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

/**
 * As Python's tuples: the first difference decides, then the length. Python has
 * none for two elements of different kinds; if they counted as equal, three
 * items could each come before the next and the last before the first.
 */
function compareArrays(a: unknown[], b: unknown[]): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const kind = kindOf(a[i]);
    const difference = kind - kindOf(b[i]) ||
      (kind === UNORDERED ? 0 : compareByValue(a[i], b[i]));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

const KINDS = ["number", "string", "date"];
const ARRAY = KINDS.length;
const UNORDERED = ARRAY + 1;

/** Elements of a lower kind come first. */
function kindOf(value: unknown): number {
  const ranking = rankingOf(value);
  if (ranking === null) return UNORDERED;
  const kind = KINDS.indexOf(ranking);
  return kind < 0 ? ARRAY : kind;
}
