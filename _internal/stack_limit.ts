/**
 * Makes errors whose stacks have at most `limit` frames; `undefined` leaves out the
 * stack. If a program has frozen the limit, it stays, as an assignment would throw.
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
