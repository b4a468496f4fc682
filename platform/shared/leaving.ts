/**
 * Sockets that were closed and still hold their address: Deno lets go of one once
 * what was under way on it has been told, some turns later.
 */

const leaving = new Set<Promise<unknown>>();

/** Says that an address is about to be free, and when. */
export function leaves(freed: Promise<unknown>): void {
  leaving.add(freed);
  const forget = () => leaving.delete(freed);
  freed.then(forget, forget);
}

/**
 * Binds; if the address is in use, then once more when the sockets of this
 * program that were closed have let go of theirs.
 */
export async function bindOnceFree<Result>(
  bind: () => Promise<Result>,
): Promise<Result> {
  try {
    return await bind();
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code !== "EADDRINUSE" || leaving.size === 0) throw error;
    await Promise.allSettled(leaving);
    return await bind();
  }
}
