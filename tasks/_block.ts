import { isPlainPromise, isThenable } from "../_internal/check.ts";
import { runIn } from "../loop/current.ts";
import type { Scope } from "../loop/scope.ts";

/**
 * Runs the function of a block in the block's scope. A future that it returns,
 * or what another library takes for a promise, is waited for in there as well:
 * awaited further out, the wait would belong to the scope around, and the
 * block's own cancellation would not reach it.
 */
export function runBlock<A, T>(
  scope: Scope,
  fn: (argument: A) => PromiseLike<T> | T,
  argument: A,
): PromiseLike<T> | T {
  return runIn(scope, call<A, T>, fn, argument);
}

function call<A, T>(
  fn: (argument: A) => PromiseLike<T> | T,
  argument: A,
): PromiseLike<T> | T {
  const result = fn(argument);
  return isThenable(result) && !isPlainPromise(result)
    ? Promise.resolve(result)
    : result;
}
