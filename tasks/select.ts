import { checkFunction } from "../_internal/check.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { show } from "../_internal/show.ts";
import { currentScope } from "../loop/current.ts";
import { toCancelledError } from "../loop/cancel_request.ts";
import { interruption } from "../loop/scope.ts";
import type { TaskFunction } from "../loop/task.ts";
import { Contest } from "./_contest.ts";
import type { Choice } from "./_turns.ts";

/** Options of {@linkcode select}. */
export interface SelectOptions {
  /**
   * Whether of several that are ready the first in the list is taken, and not any
   * of them.
   *
   * @default {false}
   */
  biased?: boolean | undefined;
  /** Cancels it when it is aborted; the reason is kept. */
  signal?: AbortSignal | undefined;
}

type Cases = Readonly<Record<string, unknown>>;

const SELECT_OPTIONS = new OptionNames<SelectOptions>(
  { biased: "boolean", signal: "signal" },
  { boolean: "biased" },
);

/**
 * What {@linkcode select} gives: the key of the case that was taken, and its
 * value. A look at the key tells what the value is.
 *
 * @typeParam R The values of all cases, by their keys.
 */
export type Selected<R> = {
  [K in Extract<keyof R, string>]: {
    /** Of the case that was taken. */
    readonly key: K;
    /** What its function returned. */
    readonly value: R[K];
  };
}[Extract<keyof R, string>];

/**
 * Waits for the first of several things, and tells which it was. The others are
 * cancelled, and have ended when it returns; what they wait for stays in its
 * place, as `race` has it.
 *
 * It is fair: of several that are ready at once it takes any, so that a busy
 * case lets the others have their turn. `exploreSchedules` tries them all, and
 * in virtual time each run is the same. With `biased` it takes the first in the
 * list: a stop before a job. The functions are called in that order, too, or in
 * any, each up to its first wait, and none once one has ended.
 *
 * Python has no such call. It is Go's `select`, and tokio's.
 *
 * @typeParam R The values of all cases, by their keys.
 *
 * @example A worker that can be stopped
 * ```ts
 * import { Event, Queue, select } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const jobs = new Queue<string>();
 * const stop = new Event();
 * const done: string[] = [];
 *
 * async function work() {
 *   while (true) {
 *     const next = await select({
 *       job: () => jobs.get(),
 *       stop: () => stop.wait(),
 *     });
 *     if (next.key === "stop") return;
 *     done.push(next.value.toUpperCase());
 *     if (jobs.empty()) stop.set();
 *   }
 * }
 *
 * for (const job of ["sweep", "mop"]) jobs.putNowait(job);
 * await work();
 * assertEquals(done, ["SWEEP", "MOP"]);
 * ```
 *
 * @param cases Functions by keys, at least one.
 * @param options Which one is taken of several.
 * @returns The key and the value of the case that was taken. If the caller is
 * cancelled when these are on their way already, it gets them, and the
 * cancellation at its next wait.
 * @throws {CancelledError} When the task is cancelled; the cases then are, too,
 * and are waited for. Nothing was taken.
 * @throws {TypeError} When `cases` is not an object of functions, `options` not
 * an object or of an unknown name, or `biased` not a boolean.
 * @throws {RangeError} When `cases` is empty.
 * @throws The error of the first that ends, if it fails.
 */
export function select<R>(
  cases: { readonly [K in keyof R]: () => PromiseLike<R[K]> | R[K] },
  options: SelectOptions = {},
): Promise<Selected<R>> {
  // One promise, and no function behind it that waits once more.
  try {
    return begin(cases, options) as Promise<Selected<R>>;
  } catch (error) {
    return Promise.reject(error);
  }
}

function begin(
  cases: Cases,
  options: SelectOptions,
): Promise<{ key: string; value: unknown }> {
  const keys = keysOf(cases);
  const fns = keys.map((key) => functionOf(cases, key));
  checkOptions("select", options, SELECT_OPTIONS);
  const { biased = false, signal } = options;
  const scope = currentScope();
  const interrupted = interruption(scope);
  if (interrupted !== null) return interrupted;
  if (signal?.aborted) throw toCancelledError(signal.reason);
  const { kernel } = scope;
  // In virtual time, and of a schedule that is explored, it has a seed.
  const choose = biased
    ? takeFirst
    : kernel.choose ?? ((count: number) => Math.floor(kernel.random() * count));
  const contest = new Contest(scope, fns, {
    name: "select()",
    untilSuccess: false,
    taskNames: keys,
    choose,
    signal,
  });
  return contest.hold(
    biased ? fns.keys() : anyOrder(fns.length, choose),
    (index, value) => ({ key: keys[index]!, value }),
  );
}

const takeFirst = () => 0;

function keysOf(cases: unknown): string[] {
  if (typeof cases !== "object" || cases === null || Array.isArray(cases)) {
    const hint = typeof cases === "function" || Array.isArray(cases)
      ? "; name them, as in select({ one, two })"
      : "";
    throw new TypeError(
      `Cannot select as 'cases' must be an object of functions: received ${
        show(cases)
      }${hint}`,
    );
  }
  const keys = Object.keys(cases);
  if (keys.length > 0) return keys;
  throw new RangeError(
    "Cannot select as 'cases' must hold at least one function: received none",
  );
}

function functionOf(cases: Cases, key: string): TaskFunction<unknown> {
  const fn = cases[key];
  // The name is put together only if it is needed.
  if (typeof fn !== "function") checkFunction("select", `cases.${key}`, fn);
  return fn as TaskFunction<unknown>;
}

function anyOrder(length: number, choose: Choice): number[] {
  const order: number[] = [];
  for (let index = 0; index < length; index++) order.push(index);
  for (let left = length; left > 1; left--) {
    const other = choose(left);
    const last = order[left - 1]!;
    order[left - 1] = order[other]!;
    order[other] = last;
  }
  return order;
}
