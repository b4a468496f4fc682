/** What a future is known by, also to another copy of this package. */
const FUTURE = Symbol.for("@asyncio/asyncio/Future");

/** Marks the futures that a class makes. */
export function brandFutures(prototype: object): void {
  Object.defineProperty(prototype, FUTURE, { value: true });
}

/** Whether `value` is a future or a task, of any copy of this package. */
export function hasFutureBrand(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  try {
    return FUTURE in value;
  } catch {
    // A proxy that was revoked, or that does not like to be asked.
    return false;
  }
}
