import { checkFunction, checkInteger, checkOneOf } from "../_internal/check.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { refuseInsideOfLoop } from "../loop/event_loop.ts";
import type { TaskFunction } from "../loop/task.ts";
import { type Leftovers, watched } from "./_leftovers.ts";
import { Orders } from "./_orders.ts";
import { readReplay } from "./_replay.ts";
import {
  byPriority,
  EveryOrder,
  type Plan,
  randomly,
  type ScheduleStrategy,
} from "./_strategies.ts";
import { naturally, Tape } from "./_tape.ts";

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
   * one after the other, as far as `runs` goes. It does not go on with one that
   * has run the same steps of the loop, one after the other, as another before,
   * and has the same ones ready at the same time: the rest is the same, too.
   *
   * @default {"random"}
   */
  strategy?: ScheduleStrategy | undefined;
  /**
   * Whether it is tried, too, who of several that wait is the next to get what
   * they wait for: a lock, a permit, an item. Otherwise it is the one who has
   * waited longest, as it is in a program. An order that fails only with this
   * shows code that relies on that.
   *
   * @default {false}
   */
  handovers?: boolean | undefined;
  /**
   * What becomes of tasks that have not ended when the test has: they are
   * cancelled and awaited, or, with `"refuse"`, the test fails as well, with an
   * {@linkcode InvalidStateError} that names them and what they wait for.
   *
   * @default {"cancel"}
   */
  leftovers?: Leftovers | undefined;
  /**
   * The `replay` of a {@linkcode ScheduleError}: runs that order, once. No other
   * option counts then.
   */
  replay?: string | undefined;
  /** Ends it between two runs when it is aborted, and throws its reason. */
  signal?: AbortSignal | undefined;
}

/** What {@linkcode exploreSchedules} has seen. */
export interface Exploration {
  /** How many times the test ran. */
  readonly runs: number;
  /** How many choices the longest of the runs had. */
  readonly choices: number;
  /**
   * The part of all orders that was tried, or left out as the same as one that
   * was, from 0 to 1; null if that is not known, as it is of orders by chance.
   */
  readonly coverage: number | null;
  /** Whether that was all, so that no order can fail. */
  readonly complete: boolean;
}

const EXPLORE_OPTIONS = new OptionNames<ExploreSchedulesOptions>({
  runs: true,
  seed: true,
  strategy: true,
  handovers: "boolean",
  leftovers: true,
  replay: "string",
  signal: "signal",
}, { number: "runs", string: "strategy" });

const ACTION = "explore schedules";

const STRATEGIES: readonly ScheduleStrategy[] = ["random", "pct", "exhaustive"];

/**
 * Runs a test again and again in virtual time, each time with its tasks in
 * another order, to find the one in which it fails.
 *
 * What is tried is what a program leaves to chance:
 *
 * - which of the tasks that start, or whose `sleep` ends, in the same instant is
 *   the first;
 * - whether timers of the same instant come together, or one of them first and the
 *   others once it has had its effect;
 * - whether bytes of a {@linkcode memoryStreamPair} arrive before or after
 *   other things that can go on;
 * - which of the cases that are ready `select` takes, unless it is biased;
 * - with `handovers`, who of several that wait for a lock or an item gets it.
 *
 * Whatever else has an order of its own keeps it. Time is virtual, and each choice
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
 * @throws {TypeError} When `fn` is no function, an option of the wrong kind, or
 * `replay` no such string.
 * @throws {RangeError} When `runs` is no integer of at least 1, `seed` none of at
 * least 0, or `strategy` or `leftovers` unknown.
 * @throws {InvalidStateError} When it is called in a loop that runs, as each order
 * has a loop of its own.
 * @throws The reason of `signal`, when it is aborted.
 */
export async function exploreSchedules(
  fn: TaskFunction<unknown>,
  options: ExploreSchedulesOptions = {},
): Promise<Exploration> {
  checkFunction(ACTION, "fn", fn);
  checkOptions(ACTION, options, EXPLORE_OPTIONS);
  const {
    strategy = "random",
    seed = 0,
    handovers = false,
    replay,
    signal,
  } = options;
  const test = watched(ACTION, fn, options.leftovers);
  const isExhaustive = strategy === "exhaustive";
  const { runs = isExhaustive ? 10_000 : 100 } = options;
  checkInteger(ACTION, "runs", runs, 1);
  checkInteger(ACTION, "seed", seed, 0);
  checkOneOf(ACTION, "strategy", strategy, STRATEGIES);
  refuseInsideOfLoop();
  signal?.throwIfAborted();
  if (replay !== undefined) return await repeat(test, replay);
  const orders = new Orders(test, handovers);
  const every = isExhaustive ? new EveryOrder() : null;
  let longest = 0;
  let done = 0;
  for (; done < runs; done++) {
    signal?.throwIfAborted();
    const own = every === null ? seed + done : seed;
    const plan = every === null ? planOf(strategy, own) : every.next();
    if (plan === null) break;
    const tape = new Tape(plan.given, plan.chooser);
    // deno-lint-ignore no-await-in-loop -- one order after the other
    const { failure, end } = await orders.run(tape, own, every?.places);
    if (failure !== null) {
      const place = `Failed with seed ${own} (run ${done + 1} of ${runs})`;
      const found = { place, seed: own, failure };
      // deno-lint-ignore no-await-in-loop -- the last
      throw await orders.errorOf(found, tape.taken);
    }
    longest = Math.max(longest, tape.taken.length);
    every?.seen(tape, end ?? undefined);
  }
  const complete = every !== null && every.next() === null;
  const coverage = every?.coverage ?? null;
  return { runs: done, choices: longest, coverage, complete };
}

function planOf(strategy: ScheduleStrategy, seed: number): Plan {
  const chooser = strategy === "pct" ? byPriority(seed) : randomly(seed);
  return { given: [], chooser };
}

async function repeat(
  fn: TaskFunction<unknown>,
  replay: string,
): Promise<Exploration> {
  const { seed, handovers, choices } = readReplay(ACTION, replay);
  const orders = new Orders(fn, handovers);
  const { tape, failure } = await orders.run(
    new Tape(choices, naturally),
    seed,
  );
  if (failure !== null) {
    throw await orders.errorAsIs(
      { place: `Failed with replay "${replay}"`, seed, failure },
      choices,
      replay,
    );
  }
  const { length } = tape.taken;
  return { runs: 1, choices: length, coverage: null, complete: false };
}
