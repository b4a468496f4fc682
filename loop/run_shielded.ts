import type { Scope } from "./scope.ts";

/**
 * Runs `fn` with a scope that no cancellation enters: what comes for the scope
 * around is remembered there, and is left for the code behind.
 */
export async function runShielded<T>(
  around: Scope,
  fn: (scope: Scope) => PromiseLike<T> | T,
): Promise<T> {
  const scope = around.openShielded();
  try {
    return await fn(scope);
  } finally {
    scope.close();
  }
}
