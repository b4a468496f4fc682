/**
 * Makes errors whose stacks have so many frames; `undefined` for none at all.
 * A program may have frozen the limit: then it stays, as an assignment would throw.
 */
export function withStackLimit<T>(
  limit: number | undefined,
  make: () => T,
): T {
  const before = (Error as { stackTraceLimit?: unknown }).stackTraceLimit;
  Reflect.set(Error, "stackTraceLimit", limit);
  try {
    return make();
  } finally {
    Reflect.set(Error, "stackTraceLimit", before);
  }
}
