import { checkDuration, checkFunction } from "../_internal/check.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { currentScope } from "../loop/current.ts";
import { Completion, Future, futureInternals } from "../loop/future.ts";
import { Scope, throwCancellation } from "../loop/scope.ts";
import type { Awaitable } from "../loop/types.ts";
import { runBlock } from "./_block.ts";
import { ensureFuture } from "./create_task.ts";
import { timeout } from "./timeout.ts";

/**
 * Protects work from the cancellation of the one who waits for it: that only
 * ends the wait. Answers to `asyncio.shield`.
 *
 * The work goes on without its waiter. Where it must rather be finished before
 * the cancellation goes on, use {@linkcode shielded}.
 *
 * @typeParam T What it comes to.
 *
 * @example The commit goes on
 * ```ts
 * import { createTask, shield, sleep } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const commit = createTask(() => sleep(5, "committed"));
 * const request = createTask(() => shield(commit));
 * await sleep(0);
 * request.cancel();
 * await request.catch(() => {});
 * assertEquals(await commit, "committed");
 * ```
 *
 * @param awaitable A function, which is started as a task; a future; a promise.
 * @returns A future that can be cancelled alone; where `awaitable` is a future
 * that is done, that future.
 */
export function shield<T>(awaitable: Awaitable<T>): Future<T> {
  const inner = ensureFuture(awaitable);
  if (inner.done()) return inner;
  const { kernel } = currentScope();
  const outer = new Future<T>(kernel);
  new Completion(
    inner,
    () => pass(inner, outer),
    true,
    () => futureInternals.awaiters(outer),
  );
  return outer;
}

/** Carries the outcome of the shielded future to the one given out. */
function pass<T>(inner: Future<T>, outer: Future<T>): void {
  const state = futureInternals.state(inner);
  const value = futureInternals.value(inner);
  if (!outer.done()) futureInternals.settle(outer, state, value);
  else if (state === "failed" && outer.cancelled()) {
    futureInternals.kernel(inner).report({
      message: "Exception in a shielded future that nobody waits for any more",
      error: value,
      future: inner,
    });
  }
}

/** Options of {@linkcode shielded}. */
export interface ShieldedOptions {
  /**
   * How long the region may take, in milliseconds, before it is cancelled all
   * the same and throws a {@linkcode TimeoutError}.
   *
   * @default {no limit}
   */
  timeout?: number | undefined;
}

const SHIELDED_OPTIONS = new OptionNames<ShieldedOptions>(
  { timeout: true },
  { number: "timeout" },
);

/**
 * Runs `fn` as a region that no cancellation from outside enters. One that
 * comes meanwhile is delivered at its end: for clean-up that has to wait.
 * Answers to trio's `CancelScope(shield=True)`.
 *
 * @typeParam T What `fn` returns.
 *
 * @example Clean-up that waits
 * ```ts
 * import { createTask, shielded, sleep } from "@asyncio/asyncio";
 * import { assert } from "@std/assert";
 *
 * let flushed = false;
 * const task = createTask(() =>
 *   shielded(async () => {
 *     await sleep(5);
 *     flushed = true;
 *   })
 * );
 * await sleep(0);
 * task.cancel();
 * await task.catch(() => {});
 * assert(flushed && task.cancelled());
 * ```
 *
 * @param fn The region. It runs in the current task.
 * @param options A limit on its time.
 * @returns What `fn` returns.
 * @throws {TypeError} When `fn` is not a function or `options` not an object.
 * @throws {CancelledError} At its end, when it was asked for meanwhile.
 * @throws {TimeoutError} When the region took longer than `timeout`.
 */
export async function shielded<T>(
  fn: () => PromiseLike<T> | T,
  options: ShieldedOptions = {},
): Promise<T> {
  checkFunction("shield a region", "fn", fn);
  checkOptions("shield a region", options, SHIELDED_OPTIONS);
  const limit = options.timeout;
  if (limit !== undefined) checkDuration("shield a region", "timeout", limit);
  const around = currentScope();
  const { kernel, task } = around;
  const scope = new Scope(kernel, around, task, null, true);
  let value: T;
  try {
    value = await runBlock(
      scope,
      limit === undefined ? fn : () => timeout(limit, fn),
      undefined,
    );
  } finally {
    scope.close();
  }
  throwCancellation(around);
  return value;
}
