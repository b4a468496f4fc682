import { checkFunction, checkString } from "../_internal/check.ts";
import { isError, messageOf, stringOf } from "../_internal/error_text.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { show } from "../_internal/show.ts";
import { ScheduleError } from "../errors.ts";
import { newEventLoop } from "../loop/ambient.ts";
import { kernelOf } from "../loop/kernel.ts";
import type { TaskFunction } from "../loop/task.ts";
import { run } from "../tasks/runner.ts";
import { Interruptions, type Point } from "./_interruptions.ts";
import type { Exploration } from "./explore_schedules.ts";
import { VirtualClock } from "./virtual_clock.ts";

/** Options of {@linkcode exploreCancellations}. */
export interface ExploreCancellationsOptions {
  /**
   * The names of the tasks to cancel.
   *
   * @default {all but the test's own}
   */
  tasks?: readonly string[] | undefined;
  /** The `replay` of a {@linkcode ScheduleError}: cancels there alone. */
  replay?: string | undefined;
}

const CANCELLATION_OPTIONS = new OptionNames<ExploreCancellationsOptions>({
  tasks: true,
  replay: true,
});

const ACTION = "explore cancellations";

/**
 * Runs a test once to count the points at which its tasks can be interrupted,
 * and then once for each of them, with a task cancelled there: when it has
 * begun to wait, and when it is about to start, or what it waits for is there
 * and its turn to take it has come.
 *
 * Time is virtual. The test's own task is left alone, as it is the one that
 * checks: it has to go on when a task that it awaits is cancelled.
 *
 * @example An item that is lost if its consumer is cancelled at a bad moment
 * ```ts
 * import { createTask, Queue, ScheduleError, sleep } from "@asyncio/asyncio";
 * import { exploreCancellations } from "@asyncio/asyncio/testing";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const error = await assertRejects(
 *   () =>
 *     exploreCancellations(async () => {
 *       const [from, to] = [new Queue<string>(), new Queue<string>()];
 *       from.putNowait("parcel");
 *       const carrier = createTask(async () => {
 *         const item = await from.get();
 *         await sleep(10); // on the way
 *         await to.put(item);
 *       }, { name: "carrier" });
 *       await carrier.catch(() => {});
 *       assertEquals(from.size + to.size, 1);
 *     }),
 *   ScheduleError,
 * );
 * console.log(error.message); // ... "carrier" ... sleep(10) ... and the line
 * ```
 *
 * @param fn The test: it makes all that it needs itself, and throws if it fails.
 * @param options Which tasks, or which point.
 * @returns What was tried, when no cancellation made it fail.
 * @throws {ScheduleError} When one did, or the test fails without any; its
 * `cause` is what the test threw.
 * @throws {TypeError} When `fn` is no function, `tasks` no array of strings, or
 * `replay` no such string.
 */
export async function exploreCancellations(
  fn: TaskFunction<unknown>,
  options: ExploreCancellationsOptions = {},
): Promise<Exploration> {
  checkFunction(ACTION, "fn", fn);
  checkOptions(ACTION, options, CANCELLATION_OPTIONS);
  const { tasks, replay } = options;
  const names = tasks === undefined ? null : namesOf(tasks);
  if (replay !== undefined) {
    const { found } = await tryOnce(fn, names, readPoint(replay));
    return { runs: 1, choices: found, coverage: null, complete: false };
  }
  const { found } = await tryOnce(fn, names, null);
  for (let point = 0; point < found; point++) {
    // deno-lint-ignore no-await-in-loop -- one point after the other
    await tryOnce(fn, names, point);
  }
  return { runs: found + 1, choices: found, coverage: 1, complete: true };
}

/** Runs the test with a cancellation at `point`, or with none. */
async function tryOnce(
  fn: TaskFunction<unknown>,
  names: ReadonlySet<string> | null,
  point: number | null,
): Promise<Interruptions> {
  const points = new Interruptions(names, point);
  const loop = newEventLoop({ clock: new VirtualClock() });
  loop.addInstrument(points);
  kernelOf(loop).reorder = (steps) => points.look(steps);
  try {
    // A run is too short for a signal to be its affair.
    await run(fn, { loop, signals: [] });
    return points;
  } catch (cause) {
    throw errorOf(cause, points.reached, point);
  }
}

function errorOf(
  cause: unknown,
  reached: Point | null,
  point: number | null,
): ScheduleError {
  const what = isError(cause) ? messageOf(cause) : stringOf(cause);
  if (point === null || reached === null) {
    return new ScheduleError(`Failed without a cancellation: ${what}`, {
      cause,
    });
  }
  const { task, wait, line } = reached;
  const replay = `cancel:${point}`;
  const lines = [
    `Failed with task ${JSON.stringify(task)} cancelled at ${wait}: ${what}`,
    ...(line === null ? [] : [line]),
    `To repeat: { replay: "${replay}" }`,
  ];
  return new ScheduleError(lines.join("\n  "), { cause, replay });
}

function namesOf(tasks: unknown): ReadonlySet<string> {
  if (!Array.isArray(tasks)) {
    throw new TypeError(
      `Cannot ${ACTION} as 'tasks' must be an array of names: received ${
        show(tasks)
      }`,
    );
  }
  for (const [index, name] of tasks.entries()) {
    checkString(ACTION, `tasks[${index}]`, name);
  }
  return new Set(tasks);
}

function readPoint(replay: unknown): number {
  const parts = typeof replay === "string"
    ? /^cancel:(\d{1,9})$/.exec(replay)
    : null;
  if (parts !== null) return Number(parts[1]);
  throw new TypeError(
    `Cannot ${ACTION} as 'replay' must be the 'replay' of a ScheduleError of exploreCancellations(): received ${
      show(replay)
    }`,
  );
}
