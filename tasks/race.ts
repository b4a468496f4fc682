import { checkFunction, checkOneOf } from "../_internal/check.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { show } from "../_internal/show.ts";
import { currentScope } from "../loop/current.ts";
import { toCancelledError } from "../loop/cancel_request.ts";
import { interruption } from "../loop/scope.ts";
import type { TaskFunction } from "../loop/task.ts";
import { Contest, type ContestRules } from "./_contest.ts";

/** What decides a {@linkcode race}. */
export type RaceUntil = "settled" | "success";

/** Options of {@linkcode race}. */
export interface RaceOptions {
  /**
   * What decides it: the first that ends, be it with an error, or the first that
   * succeeds.
   *
   * @default {"settled"}
   */
  until?: RaceUntil | undefined;
  /** Cancels it when it is aborted; the reason is kept. */
  signal?: AbortSignal | undefined;
}

const RACE_OPTIONS = new OptionNames<RaceOptions>(
  { until: true, signal: "signal" },
  { string: "until" },
);

const UNTIL: readonly string[] = [
  "settled",
  "success",
] satisfies RaceUntil[];

/**
 * Runs several functions and gives what the first that ends gives. The others
 * are cancelled, and have ended when it returns: nothing goes on behind.
 *
 * It is one choice: of contenders that wait for something of this library, such
 * as `() => queue.get()`, those that lose take nothing. Their items stay in
 * their queues, their locks and permits are free, even if several become ready in
 * one step. The functions are called in their order, each up to its first wait,
 * and none once one has ended; if several find something at once, the first has
 * it.
 *
 * If a contender has code of its own around the wait, this holds up to some fifty
 * microtasks behind it, about one for each `async` function between. A contender
 * that has got something and goes on to wait for something else keeps it, so a
 * race within a race is two choices: put all into one.
 *
 * Each contender is a task of its own. One that catches its cancellation and
 * goes on is waited for, however long that takes. An error that comes after the
 * decision, such as from a `finally`, goes to the loop's exception handler. A
 * future or a task that a contender awaits is cancelled with it; `shield` one that
 * is to go on.
 *
 * Python has no such call; trio's nursery with a `cancel_scope` comes close, and
 * `asyncio.wait(..., return_when=FIRST_COMPLETED)` leaves the others running.
 *
 * @typeParam T What the functions return.
 *
 * @example The next job, or the end
 * ```ts
 * import { Event, Queue, race } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const jobs = new Queue<string>();
 * const stop = new Event();
 * jobs.putNowait("sweep");
 * stop.set();
 * const next = () => race([() => stop.wait(), () => jobs.get()]);
 *
 * assertEquals(await next(), true);
 * assertEquals(jobs.size, 1); // what lost has taken nothing
 * stop.clear();
 * assertEquals(await next(), "sweep");
 * ```
 *
 * @example The first that succeeds
 * ```ts
 * import { race, sleep } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const answer = await race([
 *   () => Promise.reject(new Error("no route")),
 *   () => sleep(5, "from the mirror"),
 *   () => sleep(60_000, "too late"),
 * ], { until: "success" });
 * assertEquals(answer, "from the mirror");
 * ```
 *
 * @param fns The functions, at least one.
 * @param options What decides it.
 * @returns What the first returns. If the caller is cancelled when that is on its
 * way already, it gets it, and the cancellation at its next wait.
 * @throws {ExceptionGroup} When all have failed, with `until: "success"`: the
 * errors in the order of the functions.
 * @throws {CancelledError} When the task is cancelled; the contenders then are,
 * too, and are waited for.
 * @throws {TypeError} When `fns` is not an array of functions, or `options` not
 * an object or of an unknown name.
 * @throws {RangeError} When `fns` is empty, or `until` has no such value.
 * @throws The error of the first that ends, if it fails.
 */
export function race<T>(
  fns: readonly (() => PromiseLike<T> | T)[],
  options?: RaceOptions,
): Promise<T>;
/**
 * The same for functions that return several kinds of things.
 *
 * @typeParam F The list of functions.
 * @param fns The functions, at least one.
 * @param options What decides it.
 * @returns What the first returns.
 */
export function race<F extends readonly (() => unknown)[]>(
  fns: F,
  options?: RaceOptions,
): Promise<Awaited<ReturnType<F[number]>>>;
export function race(
  fns: readonly TaskFunction<unknown>[],
  options: RaceOptions = {},
): Promise<unknown> {
  // One promise, and no function behind it that waits once more.
  try {
    return begin(fns, options);
  } catch (error) {
    return Promise.reject(error);
  }
}

function begin(
  fns: readonly TaskFunction<unknown>[],
  options: RaceOptions,
): Promise<unknown> {
  checkContenders(fns);
  checkOptions("race", options, RACE_OPTIONS);
  const { until = "settled", signal } = options;
  checkOneOf("race", "until", until, UNTIL);
  const rules: ContestRules = {
    name: "race()",
    untilSuccess: until === "success",
    taskNames: null,
    choose: null,
    signal,
  };
  const scope = currentScope();
  const interrupted = interruption(scope);
  if (interrupted !== null) return interrupted;
  if (signal?.aborted) throw toCancelledError(signal.reason);
  // A copy: some are started after the caller may have changed its list.
  const contest = new Contest(scope, [...fns], rules);
  return contest.hold(fns.keys(), (_index, value) => value);
}

function checkContenders(fns: unknown): void {
  if (!Array.isArray(fns)) {
    const hint = typeof fns === "function"
      ? "; put all into one, as in race([one, two])"
      : "";
    throw new TypeError(
      `Cannot race as 'fns' must be an array of functions: received ${
        show(fns)
      }${hint}`,
    );
  }
  if (fns.length === 0) {
    throw new RangeError(
      "Cannot race as 'fns' must hold at least one function: received none",
    );
  }
  // By index: a hole in an array is none.
  for (let index = 0; index < fns.length; index++) {
    checkFunction("race", `fns[${index}]`, fns[index]);
  }
}
