import { OptionNames } from "../_internal/options.ts";
import { type CancelledError, InvalidStateError } from "../errors.ts";
import { cancelBySignal, cancelSafely } from "../loop/cancel_each.ts";
import { currentScope } from "../loop/current.ts";
import { toCancelledError } from "../loop/cancel_request.ts";
import { withLoop } from "../loop/event_loop.ts";
import {
  Completion,
  Future,
  futureInternals,
  isOwnFuture,
} from "../loop/future.ts";
import { handOn } from "../loop/holdings.ts";
import type { Kernel } from "../loop/kernel.ts";
import { requests } from "../loop/requests.ts";
import { Task } from "../loop/task.ts";
import type { Awaitable, AwaitedResult } from "../loop/types.ts";
import { type Blockers, blockers } from "../loop/wait.ts";
import { checkAwaitable, checkList, type ListCall } from "./_awaitables.ts";
import { belongsTo, isLimited } from "./_deadlines.ts";
import { ensureFutureOf } from "./create_task.ts";

/** Options of {@linkcode gather}. */
export interface GatherOptions {
  /**
   * Whether an error takes its place among the results instead of being thrown.
   *
   * @default {false}
   */
  returnExceptions?: boolean | undefined;
  /** Cancels it when it is aborted; the reason is kept. */
  signal?: AbortSignal | undefined;
}

const GATHER: ListCall = {
  action: "gather",
  name: "gather",
  kind: "an array",
  options: new OptionNames<GatherOptions>({
    returnExceptions: "boolean",
    signal: "signal",
  }, { boolean: "returnExceptions" }),
};

/** The results of what was gathered, in the same order. */
export type Gathered<T extends readonly Awaitable<unknown>[]> = {
  -readonly [K in keyof T]: AwaitedResult<T[K]>;
};

/**
 * The results of what was gathered with `returnExceptions`, each of which may be
 * an error: `instanceof Error` tells them apart. What is thrown and is no
 * `Error`, which TypeScript cannot see, is among them all the same.
 */
export type GatheredOrErrors<T extends readonly Awaitable<unknown>[]> = {
  -readonly [K in keyof T]: AwaitedResult<T[K]> | Error;
};

/**
 * Runs several things at once and gives their results in order. Equivalent of
 * `asyncio.gather`.
 *
 * The first error is thrown at once, and the others go on: if they should
 * not, use a `taskGroup`. Cancelling it cancels all of them. The same awaitable
 * given twice, be it a future or a function, is one task.
 *
 * @typeParam T The list.
 *
 * @example Three results
 * ```ts
 * import { gather, sleep } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const results = await gather([
 *   () => sleep(3, "a"),
 *   () => sleep(2, "b"),
 *   Promise.resolve(3),
 * ]);
 * assertEquals(results, ["a", "b", 3]);
 * ```
 *
 * @param aws Functions, which are started as tasks; futures; promises.
 * @param options What to do with errors.
 * @returns A future of the list of results.
 * @throws {TypeError} When `aws` is not a list of these, or `options` not an
 * object or of an unknown name.
 * @throws {InvalidStateError} When futures belong to several loops.
 */
export function gather<const T extends readonly Awaitable<unknown>[]>(
  aws: T,
  options?: GatherOptions & { returnExceptions?: false | undefined },
): Future<Gathered<T>>;
/**
 * The same with `returnExceptions`: an error takes its place among the results.
 *
 * @example Whatever becomes of each
 * ```ts
 * import { gather, sleep } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const results = await gather([
 *   () => sleep(1, "fine"),
 *   () => Promise.reject<string>(new Error("no route")),
 * ], { returnExceptions: true });
 * const texts = results.map((each) =>
 *   each instanceof Error ? each.message : each.toUpperCase()
 * );
 * assertEquals(texts, ["FINE", "no route"]);
 * ```
 *
 * @param aws Functions, which are started as tasks; futures; promises.
 * @param options What to do with errors.
 * @returns A future of the list of results and errors.
 */
export function gather<const T extends readonly Awaitable<unknown>[]>(
  aws: T,
  options: GatherOptions,
): Future<GatheredOrErrors<T>>;
export function gather(
  aws: readonly Awaitable<unknown>[],
  options: GatherOptions = {},
): Future<unknown[]> {
  checkList(GATHER, aws, options);
  // Checked before anything starts: a wrong one leaves no task behind.
  for (const each of aws) checkAwaitable(each);
  const { returnExceptions = false, signal } = options;
  const future = new GatherFuture(
    commonKernel(aws),
    aws,
    returnExceptions,
  );
  if (signal !== undefined) cancelOnAbort(future, signal);
  return future;
}

/** The loop of the futures among them; if there are none, the current one. */
function commonKernel(aws: readonly unknown[]): Kernel {
  let first: Future<unknown> | null = null;
  for (const each of aws) {
    if (!isOwnFuture(each)) continue;
    first ??= each;
    if (futureInternals.kernel(each) === futureInternals.kernel(first)) {
      continue;
    }
    throw new InvalidStateError(
      `Cannot gather futures as they must belong to one event loop: received ${first} and ${each}, of another loop`,
    );
  }
  return first === null ? currentScope().kernel : futureInternals.kernel(first);
}

/** Cancels `future` when `signal` is aborted, and listens no longer than needed. */
function cancelOnAbort(future: Future<unknown>, signal: AbortSignal): void {
  const cancel = () => cancelBySignal(future, signal);
  if (signal.aborted) return cancel();
  signal.addEventListener("abort", cancel, { once: true });
  future.addDoneCallback(() => signal.removeEventListener("abort", cancel));
}

/** How far a request to cancel has come among the children of one. */
interface Visit {
  readonly gathering: GatherFuture;
  next: number;
  isReached: boolean;
}

function isGathering(future: Future<unknown>): future is GatherFuture {
  return future instanceof GatherFuture &&
    future.cancel === GatherFuture.prototype.cancel;
}

class GatherFuture extends Future<unknown[]> {
  readonly #children: Future<unknown>[] = [];
  readonly #completions: Completion<unknown>[] = [];
  /** Those children that are nobody else's. */
  #ofPromises: Future<unknown>[] | null = null;
  readonly #returnExceptions: boolean;
  #left: number;
  #cancelled: CancelledError | null = null;

  constructor(
    kernel: Kernel,
    aws: readonly Awaitable<unknown>[],
    returnExceptions: boolean,
  ) {
    super(withLoop(kernel));
    this.#returnExceptions = returnExceptions;
    const futures = new Map<Awaitable<unknown>, Future<unknown>>();
    const scope = currentScope();
    const limited = isLimited(scope) ? scope : null;
    for (const each of aws) {
      let child = futures.get(each);
      if (child === undefined) {
        child = ensureFutureOf(kernel, each);
        futures.set(each, child);
        if (typeof each === "function" && limited !== null) {
          belongsTo(child as Task<unknown>, limited);
        }
        if (child !== each && typeof each !== "function") {
          (this.#ofPromises ??= []).push(child);
        }
      }
      this.#children.push(child);
    }
    this.#left = futures.size;
    const childDone = (child: Future<unknown>) => this.#childDone(child);
    const ownDone = (child: Future<unknown>) =>
      this.#ownDone(child, scope.task);
    for (const [each, child] of futures) {
      const done = typeof each === "function" ? ownDone : childDone;
      this.#completions.push(new Completion(child, done, true, this));
    }
    if (this.#left === 0) this.setResult([]);
  }

  /** All that are gathered have to end. */
  [blockers](): Blockers {
    const tasks = this.#children.filter((child) => child instanceof Task);
    return { tasks, needsAll: true };
  }

  /** Cancels all that are not done; it ends when they have. */
  override cancel(reason?: unknown): boolean {
    if (this.done()) return false;
    const error = toCancelledError(reason);
    let isReached = false;
    requests.asOne(() => {
      isReached = GatherFuture.#cancelBelow(this, error);
    });
    return isReached;
  }

  /** Gathered ones may be nested deeper than the stack is: no calls in calls. */
  static #cancelBelow(first: GatherFuture, error: CancelledError): boolean {
    const visits: Visit[] = [{ gathering: first, next: 0, isReached: false }];
    while (true) {
      const visit = visits[visits.length - 1]!;
      const { gathering } = visit;
      const child = gathering.#children[visit.next++];
      if (child === undefined) {
        visits.pop();
        if (visit.isReached) {
          gathering.#cancelled = error;
          requests.took(gathering);
        }
        const around = visits[visits.length - 1];
        if (around === undefined) return visit.isReached;
        if (visit.isReached) around.isReached = true;
      } else if (!isGathering(child)) {
        if (cancelSafely(child, error)) visit.isReached = true;
      } else if (requests.hasAsked(child)) visit.isReached = true;
      else if (!child.done()) {
        visits.push({ gathering: child, next: 0, isReached: false });
      }
    }
  }

  /** The same for a task of a function, whose value is for the caller. */
  #ownDone(child: Future<unknown>, caller: Task<unknown> | null): void {
    if (!this.done() && futureInternals.state(child) === "finished") {
      handOn(child, caller);
    }
    this.#childDone(child);
  }

  #childDone(child: Future<unknown>): void {
    this.#left--;
    const state = futureInternals.state(child);
    const value = futureInternals.value(child);
    if (this.done()) {
      if (state === "failed") warnOfLostError(child);
      return;
    }
    if (state !== "finished" && !this.#returnExceptions) {
      // A child that was cancelled is an error of the gathering, which itself
      // was not cancelled.
      if (this.#cancelled === null || state === "failed") {
        futureInternals.settle(this, "failed", value);
        return this.#leave();
      }
    }
    if (this.#left === 0) this.#finish();
  }

  #finish(): void {
    const cancelled = this.#cancelled;
    if (cancelled !== null) {
      return futureInternals.settle(this, "cancelled", cancelled);
    }
    futureInternals.settle(
      this,
      "finished",
      this.#children.map((child) => futureInternals.value(child)),
    );
  }

  /** A child may go on for long, and be gathered again and again. */
  #leave(): void {
    for (const completion of this.#completions) completion.unsubscribe();
    for (const child of this.#ofPromises ?? []) child.cancel();
    for (const child of this.#children) {
      if (child.done() || lookedAfter.has(child)) continue;
      lookedAfter.add(child);
      new Completion(child, warnOfLostError, true);
    }
  }
}

/** Children that a gathering has left: one step for all takes their error. */
const lookedAfter = new WeakSet<Future<unknown>>();

/** asyncio drops it silently, and its users hate that. */
function warnOfLostError(child: Future<unknown>): void {
  const kernel = futureInternals.kernel(child);
  if (futureInternals.state(child) !== "failed" || !kernel.loop.getDebug()) {
    return;
  }
  kernel.report({
    message: "A gathered task failed after another one had: its error is lost",
    error: futureInternals.value(child),
    future: child,
  });
}
