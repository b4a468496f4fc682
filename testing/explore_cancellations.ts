import { checkFunction, checkOneOf, checkString } from "../_internal/check.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { show } from "../_internal/show.ts";
import { ScheduleError } from "../errors.ts";
import { refuseInsideOfLoop } from "../loop/event_loop.ts";
import { kernelOf } from "../loop/kernel.ts";
import type { TaskFunction } from "../loop/task.ts";
import {
  type Interruption,
  Interruptions,
  type Point,
  type Points,
} from "./_interruptions.ts";
import { type Leftovers, watched } from "./_leftovers.ts";
import { type Failure, tryOnce, wordsOf } from "./_trial.ts";
import type { Exploration } from "./explore_schedules.ts";

/** Options of {@linkcode exploreCancellations}. */
export interface ExploreCancellationsOptions {
  /**
   * The names of the tasks to cancel.
   *
   * @default {all but the test's own}
   */
  tasks?: readonly string[] | undefined;
  /**
   * What comes at each point: a cancellation of the task, or the end of the
   * `timeout`, `timeoutAt` or `moveOnAfter` that the task waits in, the innermost
   * of its own, however much time it has left. A wait in none is no point then.
   * With `"crash"`, it is a crash of the simulated host that the task runs on,
   * which starts again at once; a task on no host of a `simulate` is no point.
   *
   * @default {"cancel"}
   */
  by?: Interruption | undefined;
  /**
   * What becomes of tasks that have not ended when the test has: they are
   * cancelled and awaited, or, with `"refuse"`, the test fails as well, with an
   * {@linkcode InvalidStateError} that names them and what they wait for.
   *
   * @default {"cancel"}
   */
  leftovers?: Leftovers | undefined;
  /** The `replay` of a {@linkcode ScheduleError}: interrupts there alone. */
  replay?: string | undefined;
  /** Ends it between two runs when it is aborted, and throws its reason. */
  signal?: AbortSignal | undefined;
}

const CANCELLATION_OPTIONS = new OptionNames<ExploreCancellationsOptions>({
  tasks: true,
  by: true,
  leftovers: true,
  replay: "string",
  signal: "signal",
});

const INTERRUPTIONS: readonly Interruption[] = ["cancel", "timeout", "crash"];

/** What came, of a task, and what it is called without one. */
const WORDS: Readonly<
  Record<Interruption, readonly [how: (task: string) => string, what: string]>
> = {
  cancel: [(task) => `task ${task} cancelled`, "a cancellation"],
  timeout: [(task) => `a timeout of task ${task} over`, "a timeout"],
  crash: [(task) => `the host of task ${task} crashed`, "a crash"],
};

const ACTION = "explore cancellations";

/**
 * Runs a test once to count the points at which its tasks can be interrupted,
 * and then once for each of them, with a task cancelled there: when it has
 * begun to wait, and when it is about to start, or what it waits for is there
 * and its turn to take it has come. With `by: "timeout"` it is instead the
 * `timeout` around the wait that is over there, and with `by: "crash"` the
 * simulated host of the task that crashes there and starts again.
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
 * @param fn The test: it makes all that it needs again, and throws if it fails.
 * @param options Which tasks, what interrupts them, or which point.
 * @returns What was tried, when nothing made it fail.
 * @throws {ScheduleError} When one did, or the test fails without any; its
 * `cause` is what the test threw.
 * @throws {TypeError} When `fn` is no function, `tasks` no array of strings, or
 * `replay` no such string.
 * @throws {RangeError} When `by` or `leftovers` is something else.
 * @throws {InvalidStateError} When it is called in a loop that runs, as each run
 * has a loop of its own.
 * @throws The reason of `signal`, when it is aborted.
 */
export async function exploreCancellations(
  fn: TaskFunction<unknown>,
  options: ExploreCancellationsOptions = {},
): Promise<Exploration> {
  checkFunction(ACTION, "fn", fn);
  checkOptions(ACTION, options, CANCELLATION_OPTIONS);
  const { tasks, by = "cancel", replay, signal } = options;
  const test = watched(ACTION, fn, options.leftovers);
  const names = tasks === undefined ? null : namesOf(tasks);
  checkOneOf(ACTION, "by", by, INTERRUPTIONS);
  const place = replay === undefined ? null : readPoint(replay);
  refuseInsideOfLoop();
  signal?.throwIfAborted();
  if (place !== null) {
    const { found } = await tryPoint(test, { names, ...place });
    return { runs: 1, choices: found, coverage: null, complete: false };
  }
  const { found } = await tryPoint(test, { names, by, chosen: null });
  for (let chosen = 0; chosen < found; chosen++) {
    signal?.throwIfAborted();
    // deno-lint-ignore no-await-in-loop -- one point after the other
    await tryPoint(test, { names, by, chosen });
  }
  return { runs: found + 1, choices: found, coverage: 1, complete: true };
}

/** Runs the test with an interruption at the chosen point, or with none. */
async function tryPoint(
  fn: TaskFunction<unknown>,
  points: Points,
): Promise<Interruptions> {
  const interruptions = new Interruptions(points);
  const failure = await tryOnce(fn, (loop) => {
    loop.addInstrument(interruptions);
    kernelOf(loop).beforeStep = (ready, left) => {
      interruptions.look(ready);
      return left;
    };
  });
  if (failure !== null) throw errorOf(failure, interruptions.reached, points);
  return interruptions;
}

function errorOf(
  failure: Failure,
  reached: Point | null,
  { by, chosen }: Points,
): ScheduleError {
  const { error: cause } = failure;
  const what = wordsOf(failure);
  if (chosen === null || reached === null) {
    return new ScheduleError(`Failed without ${WORDS[by][1]}: ${what}`, {
      cause,
    });
  }
  const { task, wait, line } = reached;
  const how = WORDS[by][0](JSON.stringify(task));
  const replay = `${by}:${chosen}`;
  const lines = [
    `Failed with ${how} at ${wait}: ${what}`,
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

function readPoint(replay: unknown): { by: Interruption; chosen: number } {
  const parts = typeof replay === "string"
    ? /^(cancel|timeout|crash):(\d{1,9})$/.exec(replay)
    : null;
  if (parts !== null) {
    return { by: parts[1] as Interruption, chosen: Number(parts[2]) };
  }
  throw new TypeError(
    `Cannot ${ACTION} as 'replay' must be the 'replay' of a ScheduleError of exploreCancellations(): received ${
      show(replay)
    }`,
  );
}
