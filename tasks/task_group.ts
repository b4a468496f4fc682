import { refusedNew } from "../_internal/made_by.ts";
import { checkFunction } from "../_internal/check.ts";
import { oneLine } from "../_internal/show.ts";
import {
  CancelledError,
  ExceptionGroup,
  InvalidStateError,
} from "../errors.ts";
import { cancelEach } from "../loop/cancel_each.ts";
import { asCancellation } from "../loop/cancel_request.ts";
import { currentScope } from "../loop/current.ts";
import { checkTaskFunction, loopOf, withLoop } from "../loop/event_loop.ts";
import { isExitRequest } from "../loop/exit_request.ts";
import { toCancelledError } from "../loop/cancel_request.ts";
import { Completion, futureInternals } from "../loop/future.ts";
import { interruption, Scope, Surroundings } from "../loop/scope.ts";
import {
  NO_OPTIONS,
  type Task,
  type TaskFunction,
  type TaskOptions,
} from "../loop/task.ts";
import type { Blockers } from "../loop/wait.ts";
import { WaitQueue } from "../loop/wait_queue.ts";
import { runBlock } from "./_block.ts";
import { belongsTo, isLimited } from "./_deadlines.ts";
import { type DoneTask, EndedTasks } from "./_ended_tasks.ts";
import { bindHandler, type FailureHandler } from "./_failure_handler.ts";
import { checkGroupOptions, type TaskGroupOptions } from "./_group_options.ts";
import { type Place, Places } from "./_places.ts";
import { cancelOn } from "./cancel_on.ts";
import { areGroupsHeard, traceGroup } from "./group_trace.ts";
import { Starting } from "./_starting.ts";

export type { DoneTask, TaskGroupOptions };

// Set by the class below: what this file may do with its private parts.
let runGroup: <T>(
  group: TaskGroup,
  fn: (group: TaskGroup) => PromiseLike<T> | T,
) => Promise<T>;
let blockersOf: (group: TaskGroup) => Blockers;

/** What went wrong in a group, and where: in one of its tasks, or its block. */
interface Failure {
  readonly error: unknown;
  readonly task: Task<unknown> | null;
}

/**
 * The group that a `taskGroup` block is given: starts tasks that end with the
 * block. Equivalent of `asyncio.TaskGroup`.
 *
 * @example Starting tasks from the block
 * ```ts
 * import { sleep, taskGroup } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const sum = await taskGroup(async (group) => {
 *   const one = group.createTask(() => sleep(1, 1));
 *   const two = group.createTask(() => sleep(1, 2));
 *   return await one + await two;
 * });
 * assertEquals(sum, 3);
 * ```
 */
export class TaskGroup {
  readonly #name: string;
  readonly #around: Scope;
  readonly #scope: Scope;
  readonly #surroundings: Surroundings;
  readonly #isLimited: boolean;
  readonly #tasks = new Set<Task<unknown>>();
  readonly #empty: WaitQueue<void>;
  /** For the call graph: its tasks are awaited by the one around. */
  readonly #awaiters: () => Iterable<Task<unknown>>;
  readonly #failures: Failure[] = [];
  /** Null if any number of its tasks may run. */
  readonly #places: Places | null;
  readonly #onError: "cancel" | "collect" | FailureHandler;
  /** Calls of `start` that have not ended: they may leave an error behind. */
  #starts = 0;
  /** For loops over the group; null before the first. */
  #endedTasks: EndedTasks | null = null;
  #exitRequest: unknown = undefined;
  #state: "open" | "aborting" | "finished" = "open";
  /** The block's function is still running. */
  #running = true;
  #aborted: CancelledError | null = null;

  /**
   * Made by `taskGroup`.
   *
   * @internal
   * @ignore
   */
  constructor(around: Scope, options: TaskGroupOptions) {
    if (!(around instanceof Scope)) {
      throw refusedNew(
        "a task group",
        "it ends with its block",
        "taskGroup((group) => ...)",
      );
    }
    const { name = "TaskGroup", limit = Infinity, onError = "cancel" } =
      options;
    this.#name = name;
    this.#places = limit === Infinity ? null : new Places(limit, oneLine(name));
    this.#onError = typeof onError === "function"
      ? bindHandler(around.kernel, onError)
      : onError;
    this.#around = around;
    this.#scope = around.open();
    this.#surroundings = new Surroundings(around);
    this.#isLimited = isLimited(around);
    this.#empty = new WaitQueue(`the tasks of ${oneLine(name)}`, {
      owner: this,
      blockers: blockersOf,
    });
    this.#awaiters = () => around.task === null ? [] : [around.task];
  }

  /**
   * Starts a task in the group. Tasks of the group may start others, as long as
   * one of them runs. If as many run as may, it starts later: the task is made
   * at once, and can be awaited and cancelled; cancelled before its start, not a
   * line of it runs.
   *
   * @typeParam T What the function returns.
   * @param fn The function the task runs.
   * @param options Its name and more. An eager start needs room for one more.
   * @returns The task.
   * @throws {TypeError} When `fn` is not a function.
   * @throws {InvalidStateError} When the group is ending, or has ended.
   */
  createTask<T>(
    fn: TaskFunction<T>,
    options: TaskOptions = NO_OPTIONS,
  ): Task<T> {
    checkTaskFunction(fn);
    return this.#create(fn, options, null);
  }

  /**
   * Starts a task in the group and waits until it says that it has started: a
   * server that listens, a connection that is up. From then on it is a task of
   * the group like any other. Equivalent of `nursery.start` of trio; asyncio
   * has none.
   *
   * Until then it belongs to this call: its error is thrown here, and is none of
   * the group. Cancelled, the call cancels the task and waits for it, so there is
   * none that nobody knows of. If the group is full, the time in its line is
   * part of the start.
   *
   * @typeParam T What the task starts with; nothing if it does not say.
   *
   * @example A port to connect to
   * ```ts
   * import { startServer, taskGroup } from "@asyncio/asyncio";
   * import { assert } from "@std/assert";
   *
   * async function serve(started: (port: number) => void) {
   *   await using server = await startServer(() => {}, {
   *     hostname: "127.0.0.1",
   *   });
   *   started(server.port);
   *   await server.serveForever();
   * }
   *
   * await taskGroup(async (group) => {
   *   const port = await group.start(serve);
   *   assert(port > 0);
   *   group.cancel(); // and with it the server
   * });
   * ```
   *
   * @param fn The function the task runs. It is given `started`, to call once;
   * a second call throws an {@linkcode InvalidStateError} there.
   * @param options Its name and more.
   * @returns What the task called `started` with.
   * @throws {TypeError} When `fn` is not a function.
   * @throws {InvalidStateError} When the task returned without a call of
   * `started`; or when the group is ending, or has ended.
   * @throws {CancelledError} When the current task is cancelled, or the new one
   * is before it has started.
   * @throws What the task threw before it had started.
   */
  async start<T = void>(
    fn: (started: (value: T) => void) => PromiseLike<unknown> | unknown,
    options: TaskOptions = NO_OPTIONS,
  ): Promise<T> {
    checkFunction("start a task", "fn", fn);
    const starting = new Starting<T>(withLoop(this.#around.kernel));
    const started = (value: T) => starting.say(value);
    const task = this.#create(() => fn(started), options, starting);
    this.#starts++;
    try {
      return await starting;
    } catch (error) {
      // It had started, or failed, and the call was cancelled before it heard.
      if (starting.left(error)) {
        this.#failed(futureInternals.value(task), task, false);
      }
      if (!task.done()) await endOf(task, error);
      throw error;
    } finally {
      this.#starts--;
      this.#wakeIfEmpty();
    }
  }

  /**
   * Ends the group quietly: its tasks and its block are cancelled, and
   * `taskGroup` returns without an error. New in asyncio 3.15. Does nothing
   * if the group is ending already.
   *
   * @param reason What to tell the tasks.
   */
  cancel(reason?: unknown): void {
    if (this.#state === "open") this.#abort(toCancelledError(reason));
  }

  /**
   * Its tasks, in the order in which they end, until none is left that runs or
   * is in line: those that end from the first loop on. The body may make others
   * meanwhile. What failed is given as well; if the group cancels for it, the
   * loop is cancelled, too.
   *
   * A loop that is left, or cancelled, can be followed by another, which gets the
   * rest; loops side by side share the tasks. From the first loop on the group
   * keeps what has ended for the next one; before, it keeps nothing, so begin to
   * loop before you wait for anything else. A task of the group that loops over
   * it waits for its own end.
   *
   * @example Results as they come
   * ```ts
   * import { sleep, taskGroup } from "@asyncio/asyncio";
   * import { assertEquals } from "@std/assert";
   *
   * const names: string[] = [];
   * await taskGroup(async (group) => {
   *   group.createTask(() => sleep(100), { name: "slow" });
   *   group.createTask(() => sleep(1), { name: "quick" });
   *   for await (const task of group) names.push(task.name);
   * });
   * assertEquals(names, ["quick", "slow"]);
   * ```
   *
   * @returns An iterator. Its `next` throws a {@linkcode CancelledError} when
   * the current task is cancelled, and then has taken nothing.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<DoneTask, undefined> {
    this.#endedTasks ??= new EndedTasks(
      oneLine(this.#name),
      () => this.#tasks.size === 0,
    );
    return this.#endedTasks.iterate();
  }

  /**
   * The group and its state. Tasks in line count as its tasks.
   *
   * @returns For example `<TaskGroup open tasks=2 errors=0>`, or
   * `<TaskGroup open tasks=20 in line=10 errors=0>` if it has a limit.
   */
  toString(): string {
    const parts = [
      oneLine(this.#name),
      this.#state,
      `tasks=${this.#tasks.size}`,
    ];
    if (this.#places !== null) parts.push(`in line=${this.#places.inLine}`);
    return `<${parts.join(" ")} errors=${this.#failures.length}>`;
  }

  #create<T>(
    fn: TaskFunction<T>,
    options: TaskOptions,
    starting: Starting<unknown> | null,
  ): Task<T> {
    if (this.#state !== "open") {
      throw new InvalidStateError(
        `Cannot create a task as the group is ${
          this.#state === "aborting" ? "shutting down" : "finished"
        }: received a call on ${this}`,
      );
    }
    const loop = loopOf(this.#around.kernel);
    const place = this.#places === null ? null : this.#places.ask();
    let task: Task<T>;
    if (place === null) task = loop.createTask(fn, options);
    else {
      try {
        task = loop.createTask(() => place.run(fn), options);
      } catch (error) {
        this.#places!.leave(place);
        throw error;
      }
    }
    this.#tasks.add(task);
    if (this.#isLimited) belongsTo(task, this.#scope);
    if (starting !== null) starting.task = task;
    new Completion(
      task,
      () => this.#ended(task, place, starting),
      true,
      this.#awaiters,
    );
    // One that started at once may have ended the group before it was in it.
    if (this.#aborted !== null) task.cancel(this.#aborted);
    return task;
  }

  async #run<T>(fn: (group: TaskGroup) => PromiseLike<T> | T): Promise<T> {
    let value: T | undefined;
    let foreign: CancelledError | null = null;
    let failed = false;
    let bodyError: unknown;
    try {
      value = await runBlock(this.#scope, fn, this as TaskGroup);
    } catch (error) {
      const cancellation = asCancellation(error, this.#scope);
      if (cancellation === null) {
        failed = true;
        bodyError = error;
      } else if (
        this.#aborted === null || this.#surroundings.cancelled()
      ) {
        foreign = cancellation;
      }
      if (this.#state === "open") this.#abort(toCancelledError(undefined));
    }
    this.#running = false;
    foreign = await this.#waitForTasks(foreign);
    this.#state = "finished";
    this.#scope.close();
    if (failed) this.#note({ error: bodyError, task: this.#around.task });
    return this.#conclude(value as T, foreign);
  }

  /** Waits for all tasks, whatever happens; gives the cancellation that came. */
  async #waitForTasks(
    foreign: CancelledError | null,
  ): Promise<CancelledError | null> {
    while (!this.#isEmpty()) {
      try {
        const interrupted = interruption(this.#around);
        if (interrupted !== null) await interrupted;
        await this.#empty.wait(this.#around);
      } catch (error) {
        foreign = error as CancelledError;
        if (this.#state === "open") this.#abort(foreign);
      }
    }
    return foreign;
  }

  #conclude<T>(value: T, foreign: CancelledError | null): T {
    if (this.#exitRequest !== undefined) {
      this.#reportFailures();
      throw this.#exitRequest;
    }
    if (this.#failures.length > 0) {
      // The errors come out now, the cancellation at the next wait.
      this.#surroundings.rearm();
      throw new ExceptionGroup(
        this.#failures.map(({ error }) => error),
        `Unhandled errors in ${this.#name}`,
      );
    }
    if (foreign !== null) throw foreign;
    return value;
  }

  #note(failure: Failure): void {
    if (!isExitRequest(failure.error)) this.#failures.push(failure);
    else this.#exitRequest ??= failure.error;
  }

  /** What ends the program leaves the group bare, and so leaves them behind. */
  #reportFailures(): void {
    for (const { error, task } of this.#failures) {
      this.#around.kernel.report({
        message: `Unhandled error in ${this.#name}, which ${
          (this.#exitRequest as Error).name
        } has ended`,
        error,
        task,
      });
    }
  }

  #abort(error: CancelledError): void {
    this.#state = "aborting";
    this.#aborted = error;
    cancelEach(this.#tasks, error);
    // As in asyncio, where the failure of a task interrupts the wait for the rest.
    if (this.#running) this.#scope.cancel(error);
    else this.#empty.settleAll();
  }

  #ended(
    task: Task<unknown>,
    place: Place | null,
    starting: Starting<unknown> | null,
  ): void {
    this.#tasks.delete(task);
    const failed = futureInternals.state(task) === "failed";
    const isTaken = starting !== null && starting.ended(task);
    if (failed) this.#failed(futureInternals.value(task), task, isTaken);
    if (place !== null) this.#places!.leave(place);
    this.#endedTasks?.add(task);
    if (this.#tasks.size === 0) this.#endedTasks?.end();
    this.#wakeIfEmpty();
  }

  #isEmpty(): boolean {
    return this.#tasks.size === 0 && this.#starts === 0;
  }

  #wakeIfEmpty(): void {
    if (this.#isEmpty()) this.#empty.settleAll();
  }

  /** @param isTaken Whether someone else takes the error. */
  #failed(error: unknown, task: Task<unknown>, isTaken: boolean): void {
    if (isExitRequest(error)) return this.#failWith(error, task);
    if (isTaken) return;
    const onError = this.#onError;
    if (onError === "cancel") return this.#failWith(error, task);
    if (onError === "collect") return this.#note({ error, task });
    try {
      onError(error, task);
    } catch (thrown) {
      this.#failWith(thrown, task);
    }
  }

  #failWith(error: unknown, task: Task<unknown>): void {
    this.#note({ error, task });
    if (this.#state !== "open") return;
    this.#abort(
      new CancelledError(`A task of the group failed: ${task}`, {
        by: task.name,
      }),
    );
  }

  static {
    runGroup = (group, fn) => {
      if (!areGroupsHeard()) return group.#run(fn);
      const trace = { name: group.#name, task: group.#around.task };
      return traceGroup(trace, () => group.#run(fn));
    };
    blockersOf = (group) => ({ tasks: group.#tasks, needsAll: true });
  }
}

/**
 * Cancels a task of a group and waits for its end. What it ends with is for the
 * group; a further request to cancel goes on to the task.
 */
async function endOf(task: Task<unknown>, reason: unknown): Promise<void> {
  task.cancel(reason);
  await task.then(ignore, ignore);
}

function ignore(): void {}

/**
 * Runs `fn` with a group for starting tasks, and returns when all of them have
 * ended. When one fails, the others and the block are cancelled, and all errors
 * come out together in an {@linkcode ExceptionGroup}; `onError` has other ways.
 * Equivalent of `async with asyncio.TaskGroup()`.
 *
 * Nothing outlives the block: neither a task nor an error gets lost. If a
 * {@linkcode SystemExit} or a {@linkcode KeyboardInterrupt} ends it, that is
 * thrown alone, and the errors go to the loop's exception handler.
 *
 * The tasks themselves are a result like any other: return them from the block
 * in a list or an object, and they are done when you have it.
 *
 * @typeParam T What `fn` returns: a list, whose types are kept one by one.
 *
 * @example The results of both
 * ```ts
 * import { sleep, taskGroup } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const [user, posts] = await taskGroup((group) => [
 *   group.createTask(() => sleep(2, { name: "ada" })),
 *   group.createTask(() => sleep(1, 7)),
 * ]);
 * assertEquals(`${user.result().name}: ${posts.result()}`, "ada: 7");
 * ```
 *
 * @example One fails, the other is cancelled
 * ```ts
 * import { ExceptionGroup, sleep, taskGroup } from "@asyncio/asyncio";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const error = await assertRejects(
 *   () =>
 *     taskGroup((group) => {
 *       group.createTask(() => sleep(60_000));
 *       group.createTask(() => Promise.reject(new Error("no route")));
 *     }),
 *   ExceptionGroup,
 * );
 * assertEquals(error.errors.length, 1);
 * ```
 *
 * @example At most two at a time, and none for the other's sake
 * ```ts
 * import { sleep, taskGroup } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const log: string[] = [];
 * await taskGroup((group) => {
 *   for (const name of ["a", "b", "c"]) {
 *     group.createTask(async () => {
 *       await sleep(1);
 *       if (name === "a") throw new Error("no route");
 *       log.push(name);
 *     }, { name });
 *   }
 * }, { limit: 2, onError: (_, task) => log.push(`${task.name} failed`) });
 * assertEquals(log, ["b", "a failed", "c"]);
 * ```
 *
 * @param fn The block. It is given the group and runs in the current task.
 * @param options The group's name, how many of its tasks may run, and what the
 * failure of one does.
 * @returns What `fn` returns; `undefined` if `group.cancel()` ended it.
 * @throws {ExceptionGroup} When tasks of the group, or `fn`, failed.
 * @throws {CancelledError} When the current task is cancelled; the tasks of the
 * group then are, too, and are waited for.
 * @throws {TypeError} When `fn` is not a function, `options` not an object or of
 * an unknown name, or an option of the wrong type; or when `onError` is an
 * `async` function, whose errors no one would see.
 * @throws {RangeError} When `limit` is not an integer of 1 or more.
 * @throws The reason of `signal`, when it is aborted: the tasks are cancelled and
 * waited for before. An error of theirs comes first, in the `ExceptionGroup`.
 */
export function taskGroup<T extends readonly unknown[] | []>(
  fn: (group: TaskGroup) => PromiseLike<T> | T,
  options?: TaskGroupOptions,
): Promise<T>;
/**
 * The same for a block that returns no list.
 *
 * @typeParam T What `fn` returns.
 * @param fn The block. It is given the group and runs in the current task.
 * @param options The group's name, how many of its tasks may run, and what the
 * failure of one does.
 * @returns What `fn` returns; `undefined` if `group.cancel()` ended it.
 */
export function taskGroup<T>(
  fn: (group: TaskGroup) => PromiseLike<T> | T,
  options?: TaskGroupOptions,
): Promise<T>;
export async function taskGroup(
  fn: (group: TaskGroup) => unknown,
  options: TaskGroupOptions = {},
): Promise<unknown> {
  checkFunction("open a task group", "fn", fn);
  checkGroupOptions(options);
  const { signal } = options;
  const runIt = () => runGroup(new TaskGroup(currentScope(), options), fn);
  if (signal === undefined) return await runIt();
  signal.throwIfAborted();
  return await cancelOn(signal, runIt);
}
