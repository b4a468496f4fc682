import { checkAbortSignal, checkFunction } from "../_internal/check.ts";
import type { CancelledError } from "../errors.ts";
import { callBySignal } from "../loop/cancel_each.ts";
import { asCancellation } from "../loop/cancel_request.ts";
import { currentScope, enteredScope } from "../loop/current.ts";
import { toCancelledError } from "../loop/cancel_request.ts";
import { type Scope, Surroundings } from "../loop/scope.ts";
import { runBlock } from "./_block.ts";

/**
 * Runs `fn` until a signal is aborted. Then what `fn` is waiting for is
 * cancelled, its `finally` blocks run, and the signal's reason is thrown, as the
 * functions of the web platform do. asyncio has nothing like it.
 *
 * The block runs in the current task, and is all that is cancelled: the task
 * goes on with what is thrown. A block that catches the cancellation and returns
 * a value gives that value.
 *
 * @typeParam T What `fn` returns.
 *
 * @example The client has gone
 * ```ts
 * import { cancelOn, sleep } from "@asyncio/asyncio";
 * import { assertRejects } from "@std/assert";
 *
 * async function handle(request: Request) {
 *   return await cancelOn(request.signal, async () => {
 *     await sleep(60_000);
 *     return new Response("done");
 *   });
 * }
 *
 * const client = new AbortController();
 * const request = new Request("http://localhost/", { signal: client.signal });
 * setTimeout(() => client.abort(new Error("gone")), 1);
 * await assertRejects(() => handle(request), Error, "gone");
 * ```
 *
 * @param signal What ends the block. If it is aborted already, the first wait of
 * the block throws.
 * @param fn The block.
 * @returns What `fn` returns.
 * @throws The signal's reason, when it was aborted; by default a `DOMException`
 * of the name `AbortError`.
 * @throws {CancelledError} When the task is cancelled, even if the signal is
 * aborted as well.
 * @throws {TypeError} When `signal` is no `AbortSignal` or `fn` no function.
 */
export async function cancelOn<T>(
  signal: AbortSignal,
  fn: () => PromiseLike<T> | T,
): Promise<T> {
  const action = "cancel on a signal";
  checkAbortSignal(action, "signal", signal);
  checkFunction(action, "fn", fn);
  const around = currentScope();
  const scope = around.open();
  const surroundings = new Surroundings(around);
  let own: CancelledError | null = null;
  const cancel = () => {
    if (scope.closed) return;
    own = toCancelledError(signal.reason);
    scope.cancel(own, isRunningIn(scope) ? "itself" : "another");
  };
  const onAbort = () => callBySignal(cancel);
  if (signal.aborted) {
    own = toCancelledError(signal.reason);
    scope.cancelNextWait(own);
  } else signal.addEventListener("abort", onAbort, { once: true });
  try {
    const value = await runBlock(scope, fn, undefined);
    const pending = scope.undelivered;
    if (pending !== null) throw pending;
    return value;
  } catch (error) {
    const isEnded = own !== null && asCancellation(error, scope) !== null &&
      !surroundings.cancelled();
    throw isEnded ? signal.reason : error;
  } finally {
    signal.removeEventListener("abort", onAbort);
    scope.close();
  }
}

function isRunningIn(block: Scope): boolean {
  let scope: Scope | null = enteredScope() ?? null;
  while (scope !== null && scope !== block) scope = scope.parent;
  return scope === block;
}
