import { checkFunction, checkInteger } from "../_internal/check.ts";
import { isError, messageOf, stringOf } from "../_internal/error_text.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { makeFractions, makeRandom } from "../_internal/random.ts";
import { ScheduleError } from "../errors.ts";
import { newEventLoop } from "../loop/ambient.ts";
import { kernelOf } from "../loop/kernel.ts";
import type { TaskFunction } from "../loop/task.ts";
import type { Runnable } from "../loop/types.ts";
import { run } from "../tasks/runner.ts";
import { VirtualClock } from "./virtual_clock.ts";

/** Options of {@linkcode exploreSchedules}. */
export interface ExploreSchedulesOptions {
  /**
   * How many orders to try.
   *
   * @default {100}
   */
  runs?: number | undefined;
  /**
   * The seed of the first order; the next has the next number. That of a
   * {@linkcode ScheduleError} brings its order back.
   *
   * @default {0}
   */
  seed?: number | undefined;
}

const EXPLORE_OPTIONS = new OptionNames<ExploreSchedulesOptions>({
  runs: true,
  seed: true,
}, { number: "runs" });

/**
 * Runs a test again and again in virtual time, each time with its tasks in
 * another order, to find the one in which it fails.
 *
 * What is tried otherwise is what a program leaves to chance: which of the tasks
 * that start, or whose `sleep` ends, in the same instant goes first. Whatever
 * has an order of its own keeps it: a queue hands out its items, and a lock
 * itself, to those who came first. Which of the cases that are ready `select`
 * takes is tried as well, unless it is biased. Time is virtual, and an order belongs to its
 * seed, so a failure can be had again.
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
 * ```
 *
 * @param fn The test: it makes all that it needs anew, and throws if it fails.
 * @param options How many orders, and which.
 * @returns When all orders were tried, and none made it fail.
 * @throws {ScheduleError} When one did; its `cause` is what the test threw.
 * @throws {TypeError} When `fn` is no function, or an option no integer.
 * @throws {RangeError} When `runs` is less than 1, or `seed` negative.
 */
export async function exploreSchedules(
  fn: TaskFunction<unknown>,
  options: ExploreSchedulesOptions = {},
): Promise<void> {
  const action = "explore schedules";
  checkFunction(action, "fn", fn);
  checkOptions(action, options, EXPLORE_OPTIONS);
  const { runs = 100, seed = 0 } = options;
  checkInteger(action, "runs", runs, 1);
  checkInteger(action, "seed", seed, 0);
  for (let index = 0; index < runs; index++) {
    const loop = newEventLoop({ clock: new VirtualClock() });
    const kernel = kernelOf(loop);
    kernel.reorder = shuffle(seed + index);
    // Another sequence: the order does not hang on how often this one is asked.
    kernel.random = makeFractions(~(seed + index));
    try {
      // deno-lint-ignore no-await-in-loop -- one order after the other
      await run(fn, { loop });
    } catch (cause) {
      const message = isError(cause) ? messageOf(cause) : stringOf(cause);
      throw new ScheduleError(
        `Failed with seed ${seed + index} (run ${
          index + 1
        } of ${runs}): ${message}`,
        { cause, seed: seed + index },
      );
    }
  }
}

/** Puts the steps that may move in another order; the others stay in place. */
function shuffle(seed: number): (steps: Runnable[]) => void {
  const random = makeRandom(seed);
  return (steps) => {
    const places = steps.flatMap((step, place) =>
      step.mayMove === true ? [place] : []
    );
    for (let left = places.length; left > 1; left--) {
      const last = places[left - 1]!;
      const other = places[random(left)]!;
      [steps[last], steps[other]] = [steps[other]!, steps[last]!];
    }
  };
}
