import { checkFunction, checkInteger, checkOneOf } from "../_internal/check.ts";
import { isError, messageOf, stringOf } from "../_internal/error_text.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { makeFractions } from "../_internal/random.ts";
import { ScheduleError } from "../errors.ts";
import { newEventLoop } from "../loop/ambient.ts";
import { kernelOf } from "../loop/kernel.ts";
import type { TaskFunction } from "../loop/task.ts";
import { run } from "../tasks/runner.ts";
import { readReplay, writeReplay } from "./_replay.ts";
import { oddOnes, shrink } from "./_shrink.ts";
import {
  byPriority,
  EveryOrder,
  type Plan,
  randomly,
  type ScheduleStrategy,
} from "./_strategies.ts";
import { naturally, Tape } from "./_tape.ts";
import { VirtualClock } from "./virtual_clock.ts";

/** Options of {@linkcode exploreSchedules}. */
export interface ExploreSchedulesOptions {
  /**
   * How many orders to try at most.
   *
   * @default {100, or 10,000 if `strategy` is `"exhaustive"`}
   */
  runs?: number | undefined;
  /**
   * The seed of the first order; the next has the next number. If `strategy` is
   * `"exhaustive"`, all orders have this one: it is for what is no choice of a
   * few, such as the jitter of `retry`.
   *
   * @default {0}
   */
  seed?: number | undefined;
  /**
   * How to search. `"random"` throws dice for each choice; `"pct"` gives the
   * tasks priorities, which change three times in a run, and so finds what
   * takes a task that is late all the time; `"exhaustive"` tries all orders,
   * one after the other, as far as `runs` goes.
   *
   * @default {"random"}
   */
  strategy?: ScheduleStrategy | undefined;
  /**
   * The `replay` of a {@linkcode ScheduleError}: runs that order, once. No other
   * option counts then.
   */
  replay?: string | undefined;
}

/** What {@linkcode exploreSchedules} has seen. */
export interface Exploration {
  /** How many times the test ran. */
  readonly runs: number;
  /** How many choices the longest of the runs had. */
  readonly choices: number;
  /**
   * The part of all orders that was tried, from 0 to 1; null if that is not
   * known, as it is of orders by chance.
   */
  readonly coverage: number | null;
  /** Whether all orders were tried, so that none can fail. */
  readonly complete: boolean;
}

const EXPLORE_OPTIONS = new OptionNames<ExploreSchedulesOptions>({
  runs: true,
  seed: true,
  strategy: true,
  replay: true,
}, { number: "runs", string: "strategy" });

const STRATEGIES: readonly ScheduleStrategy[] = ["random", "pct", "exhaustive"];

/**
 * Runs a test again and again in virtual time, each time with its tasks in
 * another order, to find the one in which it fails.
 *
 * What is tried otherwise is what a program leaves to chance: which of the tasks
 * that start, or whose `sleep` ends, in the same instant goes first. Whatever
 * has an order of its own keeps it: a queue hands out its items, and a lock
 * itself, to those who came first. Which of the cases that are ready `select`
 * takes is tried as well, unless it is biased. Time is virtual, and each choice
 * is recorded, so a failure can be had again.
 *
 * A failure is told in as few choices as it takes: those that do not matter are
 * put back to the natural order, in up to 200 further runs of the test. The
 * message says who went before whom, and has a string for `replay`.
 *
 * Call it outside of any task; so there is nothing that a cancellation could
 * interrupt.
 *
 * @example A counter that is read before a wait, and written after it
 * ```ts
 * import { ScheduleError, sleep, taskGroup } from "@asyncio/asyncio";
 * import { exploreSchedules, runVirtual } from "@asyncio/asyncio/testing";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * async function twoIncrements() {
 *   let counter = 0;
 *   const increment = async () => {
 *     const before = counter;
 *     await sleep(10);
 *     counter = before + 1;
 *   };
 *   await taskGroup((group) => {
 *     group.createTask(increment);
 *     group.createTask(() => sleep(10).then(increment));
 *   });
 *   assertEquals(counter, 2);
 * }
 *
 * await runVirtual(twoIncrements); // all is well?
 * const error = await assertRejects(
 *   () => exploreSchedules(twoIncrements),
 *   ScheduleError,
 * );
 * console.log(error.message); // Failed with seed ... (run ... of 100): ...
 * await assertRejects(
 *   () => exploreSchedules(twoIncrements, { replay: error.replay }),
 *   ScheduleError,
 * );
 * ```
 *
 * @example All orders
 * ```ts
 * import { gather, sleep } from "@asyncio/asyncio";
 * import { exploreSchedules } from "@asyncio/asyncio/testing";
 * import { assert } from "@std/assert";
 *
 * const { complete, runs } = await exploreSchedules(
 *   () => gather([() => sleep(1), () => sleep(1)]),
 *   { strategy: "exhaustive" },
 * );
 * assert(complete);
 * console.log(`none of ${runs} orders fails`);
 * ```
 *
 * @param fn The test: it makes all that it needs itself, and throws if it fails.
 * @param options How many orders, and which.
 * @returns What was tried, when no order made it fail.
 * @throws {ScheduleError} When one did; its `cause` is what the test threw.
 * @throws {TypeError} When `fn` is no function, an option no integer, or `replay`
 * no such string.
 * @throws {RangeError} When `runs` is less than 1, `seed` negative, or `strategy`
 * unknown.
 */
export async function exploreSchedules(
  fn: TaskFunction<unknown>,
  options: ExploreSchedulesOptions = {},
): Promise<Exploration> {
  const action = "explore schedules";
  checkFunction(action, "fn", fn);
  checkOptions(action, options, EXPLORE_OPTIONS);
  const { strategy = "random", seed = 0, replay } = options;
  const isExhaustive = strategy === "exhaustive";
  const { runs = isExhaustive ? 10_000 : 100 } = options;
  checkInteger(action, "runs", runs, 1);
  checkInteger(action, "seed", seed, 0);
  checkOneOf(action, "strategy", strategy, STRATEGIES);
  if (replay !== undefined) return await repeat(fn, replay);
  const every = isExhaustive ? new EveryOrder() : null;
  let longest = 0;
  let done = 0;
  for (; done < runs; done++) {
    const own = every === null ? seed + done : seed;
    const plan = every === null ? planOf(strategy, own) : every.next();
    if (plan === null) break;
    const tape = new Tape(plan.given, plan.chooser);
    // deno-lint-ignore no-await-in-loop -- one order after the other
    const failure = await tryOnce(fn, tape, own);
    if (failure !== null) {
      const place = `Failed with seed ${own} (run ${done + 1} of ${runs})`;
      // deno-lint-ignore no-await-in-loop -- the last
      throw await toldBriefly(fn, tape.taken, { place, seed: own, failure });
    }
    longest = Math.max(longest, tape.taken.length);
    every?.seen(tape);
  }
  const complete = every !== null && every.next() === null;
  const coverage = every?.coverage ?? null;
  return { runs: done, choices: longest, coverage, complete };
}

function planOf(strategy: ScheduleStrategy, seed: number): Plan {
  const chooser = strategy === "pct" ? byPriority(seed) : randomly(seed);
  return { given: [], chooser };
}

/** What a test threw: an object, as it may throw `null`. */
interface Failure {
  readonly error: unknown;
}

/** Where a failure came up. */
interface Found {
  readonly place: string;
  readonly seed: number;
  readonly failure: Failure;
}

/** Runs the test in one order; null if it passes. */
async function tryOnce(
  fn: TaskFunction<unknown>,
  tape: Tape,
  seed: number,
): Promise<Failure | null> {
  const loop = newEventLoop({ clock: new VirtualClock() });
  const kernel = kernelOf(loop);
  kernel.reorder = (steps) => tape.reorder(steps);
  kernel.choose = (below) => tape.choose(below);
  // Another sequence: the order does not hang on how often this one is asked.
  kernel.random = makeFractions(~seed);
  try {
    // A run is too short for a signal to be its affair.
    await run(fn, { loop, signals: [] });
    return null;
  } catch (error) {
    return { error };
  }
}

async function repeat(
  fn: TaskFunction<unknown>,
  replay: string,
): Promise<Exploration> {
  const { seed, choices } = readReplay("explore schedules", replay);
  const tape = new Tape(choices, naturally, []);
  const failure = await tryOnce(fn, tape, seed);
  if (failure !== null) {
    const place = `Failed with replay "${replay}"`;
    throw errorOf({ place, seed, failure }, tape, replay);
  }
  const { length } = tape.taken;
  return { runs: 1, choices: length, coverage: null, complete: false };
}

/** The error of a failure, in the fewest choices that fail alike. */
async function toldBriefly(
  fn: TaskFunction<unknown>,
  choices: readonly number[],
  found: Found,
): Promise<ScheduleError> {
  const { seed, failure } = found;
  const attempt = async (given: readonly number[]) => {
    const tape = new Tape(given, naturally, []);
    const again = await tryOnce(fn, tape, seed);
    return again !== null && isAlike(again, failure)
      ? { tape, failure: again }
      : null;
  };
  let best = { tape: new Tape([], naturally, []), failure };
  if (oddOnes(choices).length > 0) {
    const fewest = await shrink(
      choices,
      async (given) => await attempt(given) !== null,
    );
    const last = await attempt(fewest);
    // A test that hangs on more than its order: it is told as it was.
    if (last === null) {
      return errorOf(found, null, writeReplay({ seed, choices }));
    }
    best = last;
  }
  const replay = writeReplay({ seed, choices: best.tape.taken });
  return errorOf({ ...found, failure: best.failure }, best.tape, replay);
}

function errorOf(
  { place, seed, failure: { error: cause } }: Found,
  tape: Tape | null,
  replay: string,
): ScheduleError {
  const what = isError(cause) ? messageOf(cause) : stringOf(cause);
  const story = tape === null
    ? ["It did not fail in this order again: it hangs on more than the order"]
    : tape.story!;
  const lines = [
    `${place}: ${what}`,
    ...story,
    `To repeat: { replay: "${replay}" }`,
  ];
  return new ScheduleError(lines.join("\n  "), { cause, seed, replay });
}

/** Whether two failures are of one kind, as far as can be told. */
function isAlike({ error: a }: Failure, { error: b }: Failure): boolean {
  return isError(a) && isError(b)
    ? a.constructor === b.constructor
    : typeof a === typeof b;
}
