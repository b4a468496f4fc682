import { checkFunction, checkSpan } from "../_internal/check.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { currentScope } from "../loop/current.ts";
import {
  Completion,
  Future,
  futureInternals,
  isFuture,
  type Origin,
} from "../loop/future.ts";
import { throwCancellation } from "../loop/scope.ts";
import { runShielded } from "../loop/run_shielded.ts";
import type { Awaitable } from "../loop/types.ts";
import { runBlock } from "./_block.ts";
import { cancelOn } from "./cancel_on.ts";
import { ensureFuture } from "./create_task.ts";
import { timeout } from "./timeout.ts";

/**
 * Protects work from the cancellation of the one who waits for it: that only
 * ends the wait. Equivalent of `asyncio.shield`.
 *
 * The work goes on without its waiter. If it must rather be finished before
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
 * @returns A future that can be cancelled alone; if `awaitable` is a future
 * that is done, that future.
 */
export function shield<T>(awaitable: Awaitable<T>): Future<T> {
  const inner = innerOf(awaitable);
  if (inner.done()) return inner;
  return new Shield(inner).outer;
}

/** A promise that is not settled has one future for all its shields. */
function innerOf<T>(awaitable: Awaitable<T>): Future<T> {
  if (typeof awaitable === "function" || isFuture(awaitable)) {
    return ensureFuture(awaitable as Awaitable<T>);
  }
  const { kernel } = currentScope();
  const known = innersOf.get(awaitable) as Future<T> | undefined;
  if (known !== undefined && futureInternals.kernel(known) === kernel) {
    if (!known.done()) return known;
  }
  const inner = ensureFuture(awaitable);
  innersOf.set(awaitable, inner);
  return inner;
}

const innersOf = new WeakMap<PromiseLike<unknown>, Future<unknown>>();

/** What carries the outcome of a future to one that can be cancelled alone. */
class Shield<T> implements Origin {
  readonly outer: Future<T>;
  readonly #inner: Future<T>;
  readonly #completion: Completion<T>;

  constructor(inner: Future<T>) {
    this.#inner = inner;
    this.outer = new Future<T>(futureInternals.kernel(inner));
    futureInternals.setOrigin(this.outer, this);
    this.#completion = new Completion(
      inner,
      () => this.#pass(),
      true,
      this.outer,
    );
  }

  awaited(): void {}

  /** The shield lets go of the work; which then must not fail unseen. */
  left(): void {
    const inner = this.#inner;
    if (!this.outer.done() || inner.done()) return;
    this.#completion.unsubscribe();
    if (lookedAfter.has(inner)) return;
    lookedAfter.add(inner);
    new Completion(inner, reportUntaken, false);
  }

  #pass(): void {
    const { outer } = this;
    const inner = this.#inner;
    // Cancelled while the outcome was on its way.
    if (outer.done()) {
      if (!passedOn.has(inner)) reportFailure(inner);
      return;
    }
    const state = futureInternals.state(inner);
    futureInternals.settle(outer, state, futureInternals.value(inner));
    if (state !== "failed") return;
    // Of those that nobody awaits, however many, one reports the error.
    if (passedOn.has(inner)) futureInternals.retrieve(outer);
    passedOn.add(inner);
  }
}

/** Futures that a shield has left: one step for all looks after their error. */
const lookedAfter = new WeakSet<Future<unknown>>();
/** Futures whose outcome was given to one who asked for it. */
const passedOn = new WeakSet<Future<unknown>>();

function reportUntaken(inner: Future<unknown>): void {
  if (!futureInternals.isRetrieved(inner)) reportFailure(inner);
}

function reportFailure(inner: Future<unknown>): void {
  if (futureInternals.state(inner) !== "failed") return;
  futureInternals.retrieve(inner);
  passedOn.add(inner);
  futureInternals.kernel(inner).report({
    message: "Exception in a shielded future that nobody waits for any more",
    error: futureInternals.value(inner),
    future: inner,
  });
}

/** Options of {@linkcode shielded}. */
export interface ShieldedOptions {
  /**
   * How long the region may take, in milliseconds, before it is cancelled all
   * the same and throws a {@linkcode TimeoutError}; below 0 as 0.
   *
   * @default {no limit}
   */
  timeout?: number | undefined;
  /**
   * Cancels the region all the same when it is aborted, and throws its reason. If
   * it is aborted already, `fn` is not called.
   */
  signal?: AbortSignal | undefined;
}

const SHIELDED_OPTIONS = new OptionNames<ShieldedOptions>(
  { timeout: true, signal: "signal" },
  { number: "timeout" },
);

/**
 * Runs `fn` as a region that no cancellation from outside enters. One that
 * comes meanwhile is delivered at its end: for clean-up that has to wait.
 * Equivalent of trio's `CancelScope(shield=True)`.
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
 * @param options A limit on its time, and what ends it before.
 * @returns What `fn` returns.
 * @throws {TypeError} When `fn` is not a function or `options` not an object.
 * @throws {CancelledError} At its end, when it was asked for meanwhile.
 * @throws {TimeoutError} When the region took longer than `timeout`.
 * @throws The reason of `signal`, when it is aborted.
 */
export async function shielded<T>(
  fn: () => PromiseLike<T> | T,
  options: ShieldedOptions = {},
): Promise<T> {
  checkFunction("shield a region", "fn", fn);
  checkOptions("shield a region", options, SHIELDED_OPTIONS);
  const limit = options.timeout;
  if (limit !== undefined) checkSpan("shield a region", "timeout", limit);
  const { signal } = options;
  signal?.throwIfAborted();
  const around = currentScope();
  const limited = limit === undefined ? fn : () => timeout(limit, fn);
  const block = signal === undefined
    ? limited
    : () => cancelOn(signal, limited);
  const value = await runShielded(
    around,
    (scope) => runBlock(scope, block, undefined),
  );
  throwCancellation(around);
  return value;
}
