import { checkDelay, checkOneOf } from "../_internal/check.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { currentScope } from "../loop/current.ts";
import type { Kernel } from "../loop/kernel.ts";
import { sleep } from "./sleep.ts";
import { untilAborted } from "./until_aborted.ts";

/** Options of {@linkcode interval}. */
export interface IntervalOptions {
  /**
   * What becomes of ticks that were missed, because the loop's body or something
   * else took longer than the time between two. As in tokio's
   * `MissedTickBehavior`, a late tick comes at once; and after it
   *
   * - `"skip"`: the next one comes at the next multiple of `ms`; the missed ones
   *   are left out.
   * - `"burst"`: the missed ones come at once, too, until it has caught up.
   * - `"delay"`: the next one comes `ms` after the late one: the multiples count
   *   from there.
   *
   * @default {"skip"}
   */
  missed?: "skip" | "burst" | "delay" | undefined;
  /** Ends its waits when it is aborted: they throw the signal's reason. */
  signal?: AbortSignal | undefined;
}

const INTERVAL_OPTIONS = new OptionNames<IntervalOptions>(
  { missed: true, signal: "signal" },
  { string: "missed" },
);

const ACTION = "make an interval";

/**
 * Ticks at multiples of `ms` by the loop's clock, counted from where the
 * iteration begins: how long the body of the loop takes does not add up. The
 * first tick comes after `ms`, as with `setInterval`, which however does not wait
 * for what it calls.
 *
 * asyncio has nothing like it. tokio's `interval` is its equivalent, where the
 * first tick comes at once, a tick is given with its time instead of its number,
 * and missed ones are caught up with (`"burst"`) by default.
 *
 * It holds nothing between two ticks, and can be left at any time.
 *
 * @example Three ticks
 * ```ts
 * import { getRunningLoop, interval, sleep } from "@asyncio/asyncio";
 * import { runVirtual } from "@asyncio/asyncio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * await runVirtual(async () => {
 *   const times: number[] = [];
 *   for await (const tick of interval(100)) {
 *     times.push(getRunningLoop().time());
 *     await sleep(30);
 *     if (tick === 3) break;
 *   }
 *   assertEquals(times, [100, 200, 300]);
 * });
 * ```
 *
 * @param ms The time between two ticks, in milliseconds.
 * @param options What becomes of missed ticks.
 * @returns An iterable, each iteration of which begins again. It gives the number
 * of the tick: the first comes after `ms` and is 1; those that were skipped are
 * left out of the numbers as well. Its waits throw a {@linkcode CancelledError}
 * when the task is cancelled; that takes no tick.
 * @throws {TypeError} When `ms` is not a number, or `options` no object.
 * @throws {RangeError} When `ms` is not above 0 and finite, or `missed` none of
 * the three.
 */
export function interval(
  ms: number,
  options: IntervalOptions = {},
): AsyncIterable<number> {
  checkDelay(ACTION, "ms", ms);
  if (!(ms > 0 && ms < Infinity)) {
    throw new RangeError(
      `Cannot ${ACTION} as 'ms' must be above 0 and finite: received ${ms}`,
    );
  }
  checkOptions(ACTION, options, INTERVAL_OPTIONS);
  const { missed = "skip", signal } = options;
  checkOneOf(ACTION, "missed", missed, ["skip", "burst", "delay"]);
  return {
    [Symbol.asyncIterator]: () =>
      new Ticks(currentScope().kernel, ms, missed, signal),
  };
}

type Tick = IteratorResult<number, undefined>;

class Ticks implements AsyncIterator<number, undefined> {
  readonly #kernel: Kernel;
  readonly #ms: number;
  readonly #missed: "skip" | "burst" | "delay";
  readonly #signal: AbortSignal | undefined;
  /** The multiples count from here. */
  #start: number;
  /** The next tick, as a multiple. */
  #multiple = 1;
  /** What the numbers of ticks are ahead of the multiples, after a delay. */
  #before = 0;
  #isOver = false;

  constructor(
    kernel: Kernel,
    ms: number,
    missed: "skip" | "burst" | "delay",
    signal: AbortSignal | undefined,
  ) {
    this.#kernel = kernel;
    this.#signal = signal;
    this.#ms = ms;
    this.#missed = missed;
    this.#start = kernel.now();
  }

  next(): Promise<Tick> {
    return untilAborted(this.#signal, () => this.#next());
  }

  async #next(): Promise<Tick> {
    while (!this.#isOver) {
      const due = this.#due;
      const early = due - this.#kernel.now();
      // A late one is a turn for the others all the same.
      // deno-lint-ignore no-await-in-loop -- until the tick is this call's
      await sleep(Math.max(0, early));
      // Another call of this iterator may have had the tick.
      if (!this.#isOver && this.#due === due) {
        return { done: false, value: this.#take(early < 0) };
      }
    }
    return { done: true, value: undefined };
  }

  return(): Promise<Tick> {
    this.#isOver = true;
    return Promise.resolve({ done: true, value: undefined });
  }

  get #due(): number {
    // Multiplied and not added up, so that no error adds up.
    return this.#start + this.#multiple * this.#ms;
  }

  /** @param wasLate Nobody waited for it when its time came. */
  #take(wasLate: boolean): number {
    const multiple = this.#multiple++;
    const number = this.#before + multiple;
    if (this.#missed === "burst") return number;
    const now = this.#kernel.now();
    // A timer is always late by a little; that one is missed is another matter.
    const isMissed = wasLate || now >= this.#due;
    if (!isMissed) return number;
    if (this.#missed === "delay") {
      this.#start = now;
      this.#before = number;
      this.#multiple = 1;
    } else {
      const passed = Math.floor((now - this.#start) / this.#ms);
      this.#multiple = Math.max(this.#multiple, passed + 1);
    }
    return number;
  }
}
