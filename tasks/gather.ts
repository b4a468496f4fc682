import { isThenable } from "../_internal/check.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { show } from "../_internal/show.ts";
import type { CancelledError } from "../errors.ts";
import { currentScope } from "../loop/current.ts";
import {
  Completion,
  Future,
  futureInternals,
  toCancelledError,
} from "../loop/future.ts";
import type { Kernel } from "../loop/kernel.ts";
import type { Awaitable, AwaitedResult } from "../loop/types.ts";
import { ensureFuture } from "./create_task.ts";

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

const GATHER_OPTIONS = new OptionNames<GatherOptions>({
  returnExceptions: true,
  signal: true,
}, { boolean: "returnExceptions" });

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
 * Runs several things at once and gives their results in order. Answers to
 * `asyncio.gather`.
 *
 * The first error is thrown at once, and the others go on: where they should
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
  if (!Array.isArray(aws)) {
    throw new TypeError(
      `Cannot gather as 'aws' must be an array: received ${show(aws)}${
        listHint("gather", aws)
      }`,
    );
  }
  checkOptions("gather", options, GATHER_OPTIONS);
  // Checked before anything starts: a wrong one leaves no task behind.
  for (const each of aws) checkAwaitable(each);
  const { returnExceptions = false, signal } = options;
  const future = new GatherFuture(
    currentScope().kernel,
    aws,
    returnExceptions,
  );
  if (signal !== undefined) cancelOnAbort(future, signal);
  return future;
}

/** For who writes Python's `gather(first, second)`. */
export function listHint(name: string, aws: unknown): string {
  return typeof aws === "function" || isThenable(aws)
    ? `; write ${name}([first, second])`
    : "";
}

/** Refuses what cannot be waited for. */
export function checkAwaitable(value: unknown): void {
  if (typeof value === "function" || isThenable(value)) return;
  throw new TypeError(
    `Cannot wait for a value as it must be a promise, a future or a function: received ${
      show(value)
    }`,
  );
}

/** Cancels `future` when `signal` is aborted, and listens no longer than needed. */
function cancelOnAbort(future: Future<unknown>, signal: AbortSignal): void {
  const cancel = () => {
    future.cancel(signal.reason);
  };
  if (signal.aborted) return cancel();
  signal.addEventListener("abort", cancel, { once: true });
  future.addDoneCallback(() => signal.removeEventListener("abort", cancel));
}

class GatherFuture extends Future<unknown[]> {
  readonly #children: Future<unknown>[] = [];
  readonly #returnExceptions: boolean;
  #left: number;
  #cancelled: CancelledError | null = null;

  constructor(
    kernel: Kernel,
    aws: readonly Awaitable<unknown>[],
    returnExceptions: boolean,
  ) {
    super(kernel);
    this.#returnExceptions = returnExceptions;
    const futures = new Map<Awaitable<unknown>, Future<unknown>>();
    for (const each of aws) {
      let child = futures.get(each);
      if (child === undefined) {
        child = ensureFuture(each);
        futures.set(each, child);
      }
      this.#children.push(child);
    }
    this.#left = futures.size;
    const childDone = (child: Future<unknown>) => this.#childDone(child);
    const awaiters = () => futureInternals.awaiters(this);
    for (const child of futures.values()) {
      new Completion(child, childDone, true, awaiters);
    }
    if (this.#left === 0) this.setResult([]);
  }

  /** Cancels all that are not done; it ends when they have. */
  override cancel(reason?: unknown): boolean {
    if (this.done()) return false;
    const error = toCancelledError(reason);
    let reached = false;
    for (const child of this.#children) {
      if (child.cancel(error)) reached = true;
    }
    if (reached) this.#cancelled = error;
    return reached;
  }

  #childDone(child: Future<unknown>): void {
    this.#left--;
    const state = futureInternals.state(child);
    const value = futureInternals.value(child);
    if (this.done()) {
      if (state === "failed") this.#warnOfLostError(child, value);
      return;
    }
    if (state !== "finished" && !this.#returnExceptions) {
      // A child that was cancelled is an error of the gathering, which itself
      // was not cancelled.
      if (this.#cancelled === null || state === "failed") {
        return futureInternals.settle(this, "failed", value);
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

  /** asyncio drops it silently, and its users hate that. */
  #warnOfLostError(child: Future<unknown>, error: unknown): void {
    const kernel = futureInternals.kernel(this);
    if (!kernel.loop.getDebug()) return;
    kernel.report({
      message:
        "A gathered task failed after another one had: its error is lost",
      error,
      future: child,
    });
  }
}
