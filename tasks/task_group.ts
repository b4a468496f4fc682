import { checkFunction } from "../_internal/check.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { oneLine } from "../_internal/show.ts";
import {
  CancelledError,
  ExceptionGroup,
  InvalidStateError,
} from "../errors.ts";
import { cancelEach } from "../loop/cancel_each.ts";
import { currentScope } from "../loop/current.ts";
import { checkTaskFunction } from "../loop/event_loop.ts";
import { isExitRequest } from "../loop/exit_request.ts";
import {
  Completion,
  futureInternals,
  toCancelledError,
} from "../loop/future.ts";
import { interruption, Scope, Surroundings } from "../loop/scope.ts";
import {
  asCancellation,
  NO_OPTIONS,
  type Task,
  type TaskFunction,
  type TaskOptions,
} from "../loop/task.ts";
import { WaitQueue } from "../loop/wait_queue.ts";
import { runBlock } from "./_block.ts";
import { belongsTo, isLimited } from "./_deadlines.ts";

// Set by the class below: what this file may do with its private parts.
let runGroup: <T>(
  group: TaskGroup,
  fn: (group: TaskGroup) => PromiseLike<T> | T,
) => Promise<T>;

/** What went wrong in a group, and where: in one of its tasks, or its block. */
interface Failure {
  readonly error: unknown;
  readonly task: Task<unknown> | null;
}

/** Options of {@linkcode taskGroup}. */
export interface TaskGroupOptions {
  /**
   * The group's name, for messages.
   *
   * @default {"TaskGroup"}
   */
  name?: string | undefined;
}

const TASK_GROUP_OPTIONS = new OptionNames<TaskGroupOptions>(
  { name: true },
  { string: "name" },
);

/**
 * The group that a `taskGroup` block is given: starts tasks that end with the
 * block. Answers to `asyncio.TaskGroup`.
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
  constructor(around: Scope, name: string) {
    if (!(around instanceof Scope)) {
      throw new TypeError(
        "Cannot create a task group with 'new' as it ends with its block: call taskGroup((group) => ...)",
      );
    }
    this.#name = name;
    this.#around = around;
    this.#scope = around.open();
    this.#surroundings = new Surroundings(this.#scope);
    this.#isLimited = isLimited(around);
    this.#empty = new WaitQueue(`the tasks of ${oneLine(name)}`);
    this.#awaiters = () => around.task === null ? [] : [around.task];
  }

  /**
   * Starts a task in the group. Tasks of the group may start others, as long as
   * one of them runs.
   *
   * @typeParam T What the function returns.
   * @param fn The function the task runs.
   * @param options Its name and more.
   * @returns The task.
   * @throws {TypeError} When `fn` is not a function.
   * @throws {InvalidStateError} When the group is ending, or has ended.
   */
  createTask<T>(
    fn: TaskFunction<T>,
    options: TaskOptions = NO_OPTIONS,
  ): Task<T> {
    checkTaskFunction(fn);
    if (this.#state !== "open") {
      throw new InvalidStateError(
        `Cannot create a task as the group is ${
          this.#state === "aborting" ? "shutting down" : "finished"
        }: received a call on ${this}`,
      );
    }
    const { kernel } = this.#around;
    const task = kernel.loop.createTask(fn, options);
    this.#tasks.add(task);
    if (this.#isLimited) belongsTo(task, this.#scope);
    new Completion(task, () => this.#ended(task), true, this.#awaiters);
    // One that started at once may have ended the group before it was in it.
    if (this.#aborted !== null) task.cancel(this.#aborted);
    return task;
  }

  /**
   * Ends the group quietly: its tasks and its block are cancelled, and
   * `taskGroup` returns without an error. New in asyncio 3.15. Does nothing
   * where the group is ending already.
   *
   * @param reason What to tell the tasks.
   */
  cancel(reason?: unknown): void {
    if (this.#state === "open") this.#abort(toCancelledError(reason));
  }

  /**
   * The group and its state.
   *
   * @returns For example `<TaskGroup open tasks=2 errors=0>`.
   */
  toString(): string {
    const name = oneLine(this.#name);
    return `<${name} ${this.#state} tasks=${this.#tasks.size} errors=${this.#failures.length}>`;
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
    while (this.#tasks.size > 0) {
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
      this.#surroundings.rearm(foreign);
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
        ...(task === null ? undefined : { task }),
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

  #ended(task: Task<unknown>): void {
    this.#tasks.delete(task);
    if (futureInternals.state(task) === "failed") {
      this.#note({ error: futureInternals.value(task), task });
      if (this.#state === "open") {
        this.#abort(
          new CancelledError(`A task of the group failed: ${task}`, {
            by: task.name,
          }),
        );
      }
    }
    if (this.#tasks.size === 0) this.#empty.settleAll();
  }

  static {
    runGroup = (group, fn) => group.#run(fn);
  }
}

/**
 * Runs `fn` with a group for starting tasks, and returns when all of them have
 * ended. When one fails, the others and the block are cancelled, and all errors
 * come out together in an {@linkcode ExceptionGroup}. Answers to
 * `async with asyncio.TaskGroup()`.
 *
 * Nothing outlives the block: neither a task nor an error gets lost. Where a
 * {@linkcode SystemExit} or a {@linkcode KeyboardInterrupt} ends it, that is
 * thrown alone, and the errors go to the loop's exception handler.
 *
 * @typeParam T What `fn` returns.
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
 * @param fn The block. It is given the group and runs in the current task.
 * @param options The group's name.
 * @returns What `fn` returns; `undefined` where `group.cancel()` ended it.
 * @throws {ExceptionGroup} When tasks of the group, or `fn`, failed.
 * @throws {CancelledError} When the current task is cancelled; the tasks of the
 * group then are, too, and are waited for.
 * @throws {TypeError} When `fn` is not a function or `options` not an object.
 */
export async function taskGroup<T>(
  fn: (group: TaskGroup) => PromiseLike<T> | T,
  options: TaskGroupOptions = {},
): Promise<T> {
  checkFunction("open a task group", "fn", fn);
  checkOptions("open a task group", options, TASK_GROUP_OPTIONS);
  const group = new TaskGroup(currentScope(), options.name ?? "TaskGroup");
  return await runGroup(group, fn);
}
