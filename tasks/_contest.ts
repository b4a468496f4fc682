/**
 * A contest: tasks of which one decides it, and what `race` and `select` share.
 *
 * ```text
 *   started one by one --> each waits --> one ends: in the same step the others
 *         |                               are cancelled, and find out in their
 *   one has ended: no                     turn; when all have ended, the result
 *   further one is started                is the caller's
 * ```
 *
 * That what lost has taken nothing follows from this. A wait takes what it waits
 * for in its turn, and the next turn comes when the code it woke has run. So a
 * contender that ends at its wait, or some microtasks behind it, cancels the
 * others before theirs.
 *
 * From the decision on, what the winner took is on its way to the caller, who may
 * be cancelled meanwhile. That is remembered for the next wait, as it is with
 * any result that is deferred: otherwise it would be lost with the error.
 */
import { WAKING_HOPS } from "../_internal/constants.ts";
import { type CancelledError, ExceptionGroup } from "../errors.ts";
import { cancelEach } from "../loop/cancel_each.ts";
import { callFromLoop } from "../loop/current.ts";
import { createChecked, loopOf } from "../loop/event_loop.ts";
import { isExitRequest } from "../loop/exit_request.ts";
import { toCancelledError } from "../loop/cancel_request.ts";
import { type Future, futureInternals, type Origin } from "../loop/future.ts";
import { handOn } from "../loop/holdings.ts";
import type { Kernel } from "../loop/kernel.ts";
import { forgetCancellation, type Scope, Surroundings } from "../loop/scope.ts";
import {
  endDropped,
  scopeOf,
  type Task,
  type TaskFunction,
  type TaskOptions,
} from "../loop/task.ts";
import type { Runnable } from "../loop/types.ts";
import { Wait, type WaitSource } from "../loop/wait.ts";
import { Defeat, unseenDefeat } from "./_defeat.ts";
import { type Choice, Turns } from "./_turns.ts";

/** How a contest is held. */
export interface ContestRules {
  /** For messages: `race()`. */
  readonly name: string;
  /** Whether an error leaves it open, as long as others run. */
  readonly untilSuccess: boolean;
  /** Names for the tasks, by their numbers. */
  readonly taskNames: readonly string[] | null;
  /** Who goes first of those whose turns come together; by default as they come. */
  readonly choose: Choice | null;
  readonly signal: AbortSignal | undefined;
}

type State = "open" | "won" | "failed" | "interrupted";

/**
 * How many iterations a contender that found something at once may take to come
 * by it, before the next one starts: as deep as contests are nested.
 */
const TURNS_TO_COME_BY_IT = 16;

const AT_ONCE: TaskOptions = Object.freeze({ eagerStart: true });

export class Contest implements WaitSource {
  readonly #around: Scope;
  readonly #surroundings: Surroundings;
  readonly #fns: readonly TaskFunction<unknown>[];
  readonly #rules: ContestRules;
  /** Those that were started. */
  readonly #entrants: Entrant[] = [];
  #turns: Turns | null = null;
  /** How many of them have not ended. */
  #running = 0;
  /** With `untilSuccess`: those that failed while it was open. */
  #failures: Entrant[] | null = null;
  #state: State = "open";
  #decider: Entrant | null = null;
  /** The winner's value, or the error to throw. */
  #outcome: unknown = undefined;
  #wait: ContestWait | null = null;
  /** A contender may be about to come by what it found at once. */
  #isHeld = false;
  /** The caller was cancelled while that was so. */
  #heldBack: CancelledError | null = null;

  constructor(
    around: Scope,
    fns: readonly TaskFunction<unknown>[],
    rules: ContestRules,
  ) {
    this.#around = around;
    this.#surroundings = new Surroundings(around);
    this.#fns = fns;
    this.#rules = rules;
  }

  /**
   * Holds it, and returns when all that were started have ended.
   *
   * @param order The numbers of the contenders, as they are to be started.
   * @returns What the caller makes of the number of the winner and its value.
   */
  async hold<R>(
    order: Iterable<number>,
    toResult: (index: number, value: unknown) => R,
  ): Promise<R> {
    const { signal } = this.#rules;
    const abort = signal === undefined ? null : () => this.#abort();
    if (abort !== null) {
      signal!.addEventListener("abort", abort, { once: true });
    }
    for (const index of order) {
      const task = this.#start(index);
      if (task === null) break;
      // Most that find something at once come by it in a microtask.
      // deno-lint-ignore no-await-in-loop -- one after the other
      if (isBusy(task)) await null;
      if (isBusy(task) || scopeOf(task).deferred > 0) {
        // deno-lint-ignore no-await-in-loop -- one after the other
        await this.#letComeToWait(task);
      }
      if (!this.#isOpen()) break;
    }
    if (this.#running > 0) {
      if (this.#state === "open") this.#watchTurns();
      this.#wait = new ContestWait(this.#around, this);
      await this.#wait.promise;
    } else this.#settle();
    if (abort !== null) signal!.removeEventListener("abort", abort);
    this.#conclude();
    return toResult(this.#decider!.index, this.#outcome);
  }

  /**
   * The caller is cancelled, and so are the contenders. If something is on its way
   * to the caller, that comes first, and its next wait throws. As with a task that
   * is awaited, those that take their time to end hear of each further request.
   */
  interrupt(error: CancelledError): void {
    if (this.#isHeld) {
      this.#heldBack ??= error;
      return;
    }
    if (this.#isDecided()) return;
    if (this.#state === "open") {
      this.#state = "interrupted";
      this.#outcome = error;
      this.#turns?.end();
    }
    cancelEach(this.#runningTasks(), error);
  }

  /** A contender has ended: called in the same step. */
  ended(entrant: Entrant): void {
    this.#running--;
    if (futureInternals.state(entrant.task) === "finished") {
      this.#succeeded(entrant);
    } else this.#failed(entrant);
    if (this.#running > 0 || this.#wait === null) return;
    this.#settle();
    this.#wait.settle();
  }

  get kernel(): Kernel {
    return this.#around.kernel;
  }

  get caller(): Task<unknown> | null {
    return this.#around.task;
  }

  abandon(): void {}

  describe(): string {
    return `${this.#rules.name} of ${this.#fns.length}`;
  }

  #watchTurns(): void {
    const { choose } = this.#rules;
    if (choose === null || this.#running < 2) return;
    const turns = this.#turns = new Turns(choose);
    for (const { index, task } of this.#entrants) {
      if (!task.done()) turns.watch(index, scopeOf(task));
    }
  }

  #start(index: number): Task<unknown> | null {
    const entrant = new Entrant(this, index, this.#fns[index]!);
    const name = this.#rules.taskNames?.[index];
    const options = name === undefined ? AT_ONCE : { name, eagerStart: true };
    const loop = loopOf(this.#around.kernel);
    let task: Task<unknown>;
    try {
      // Another's factory may put code of its own around it.
      entrant.isBare = loop.getTaskFactory() === null;
      task = createChecked(loop, () => entrant.begin(), options);
    } catch (error) {
      // A task factory threw, or the loop was closed.
      this.#decide("failed", null, error);
      return null;
    }
    entrant.task = task;
    this.#entrants.push(entrant);
    this.#running++;
    if (task.done()) {
      futureInternals.retrieve(task);
      this.ended(entrant);
    } else {
      futureInternals.subscribe(task, entrant);
      futureInternals.setOrigin(task, entrant);
    }
    return task;
  }

  #runningTasks(): Task<unknown>[] {
    const tasks: Task<unknown>[] = [];
    for (const { task } of this.#entrants) if (!task.done()) tasks.push(task);
    return tasks;
  }

  /** Those that are no more than a wait end here and now, the others in time. */
  #cancelLosers(): void {
    const { kernel } = this.#around;
    const { name } = this.#rules;
    const defeat = new Defeat(name, this.#decider?.task.name);
    if (kernel.hooks === null && kernel.stacks === null) {
      const unseen = unseenDefeat(name);
      for (const entrant of this.#entrants) {
        if (entrant.drop(unseen)) endDropped(entrant.task, defeat);
      }
    }
    if (this.#running === 0) return;
    cancelEach(this.#runningTasks(), defeat.errorFor(kernel));
  }

  /**
   * A contender that does not wait may have found something at once, and is then
   * about to end: the next must not be started before.
   */
  async #letComeToWait(task: Task<unknown>): Promise<void> {
    // deno-lint-ignore no-await-in-loop -- looks after each microtask
    for (let hops = WAKING_HOPS; hops > 0 && isBusy(task); hops--) await null;
    const { kernel, top } = this.#around;
    const scope = scopeOf(task);
    // The result comes in the loop's turn, or the task starts in one.
    let turns = scope.deferred > 0
      ? TURNS_TO_COME_BY_IT
      : loopOf(kernel).getTaskFactory() === null && kernel.isRunning
      ? 0
      : 1;
    if (turns === 0 || (!isBusy(task) && scope.deferred === 0)) return;
    // The caller's cancellation waits until it is clear who has what.
    this.#isHeld = true;
    top.deferred++;
    do {
      const turn = new ContestWait(this.#around, this);
      turn.enqueue();
      // deno-lint-ignore no-await-in-loop -- looks after each turn
      await turn.promise;
    } while (--turns > 0 && scope.deferred > 0 && !task.done());
    top.deferred--;
    this.#isHeld = false;
  }

  /** Whether another one is to be started. */
  #isOpen(): boolean {
    const error = forgetCancellation(this.#around) ?? this.#heldBack;
    this.#heldBack = null;
    if (error !== null) this.interrupt(error);
    if (this.#rules.signal?.aborted) this.#abort();
    return this.#state === "open";
  }

  #isDecided(): boolean {
    return this.#state === "won" || this.#state === "failed";
  }

  #abort(): void {
    if (this.#state !== "open" || this.#isHeld) return;
    this.interrupt(toCancelledError(this.#rules.signal!.reason));
  }

  #succeeded(entrant: Entrant): void {
    // One may decline to be cancelled, as a task may: what it gives is not lost.
    if (this.#isDecided()) return;
    handOn(entrant.task, this.caller);
    this.#decide("won", entrant, futureInternals.value(entrant.task));
  }

  #failed(entrant: Entrant): void {
    const { task } = entrant;
    const isOpen = this.#state === "open";
    // The error of one that was dropped is made only if it is asked for.
    if (!isOpen && futureInternals.state(task) === "cancelled") return;
    const error = futureInternals.value(task);
    if (isOpen) {
      if (!this.#rules.untilSuccess || isExitRequest(error)) {
        this.#decide("failed", entrant, error);
      } else (this.#failures ??= []).push(entrant);
    } else if (!isExitRequest(error)) this.#report(task, error);
  }

  #decide(
    state: "won" | "failed",
    entrant: Entrant | null,
    outcome: unknown,
  ): void {
    const wasOpen = this.#state === "open";
    this.#state = state;
    this.#decider = entrant;
    this.#outcome = outcome;
    this.#around.top.deferred++;
    this.#turns?.end();
    if (wasOpen && this.#running > 0) this.#cancelLosers();
  }

  /** All have ended: if nothing was decided, it is now. */
  #settle(): void {
    if (this.#state !== "open") return;
    const failures = this.#failures!.sort((a, b) => a.index - b.index);
    const group = new ExceptionGroup(
      failures.map(({ task }) => futureInternals.value(task)),
      `All contenders of ${this.#rules.name} failed`,
    );
    this.#decide("failed", null, group);
  }

  /** Throws unless somebody has won. */
  #conclude(): void {
    if (this.#state === "interrupted") {
      // If a signal was it, nobody may have asked the scopes.
      throw this.#surroundings.cause() ?? this.#outcome;
    }
    // What the scopes were asked for meanwhile is for the caller's next wait.
    this.#surroundings.rearm();
    this.#around.top.deferred--;
    if (this.#state === "failed") throw this.#outcome;
  }

  /** An error that comes too late to be thrown. */
  #report(task: Task<unknown>, error: unknown): void {
    const { name } = this.#rules;
    const why = this.#state === "interrupted"
      ? "was cancelled"
      : "another has decided";
    this.#around.kernel.report({
      message: `Unhandled error in a contender of ${name}, which ${why}`,
      error,
      task,
    });
  }
}

/** Neither done nor in a wait of the library. */
function isBusy(task: Task<unknown>): boolean {
  return !task.done() && !scopeOf(task).isWaiting();
}

/** The caller's wait: its cancellation is one of the contest. */
class ContestWait extends Wait<void> {
  constructor(scope: Scope, contest: Contest) {
    super(scope, contest);
    this.started();
  }

  override cancel(error: CancelledError): boolean {
    (this.source as Contest).interrupt(error);
    return true;
  }
}

/** A contender that was started: hears of its end in the same step. */
class Entrant implements Origin, Runnable {
  declare readonly runsCode: boolean;
  /** Its error is thrown, collected or reported. */
  declare readonly retrieves: boolean;
  readonly contest: Contest;
  readonly index: number;
  /** Set once it is started. */
  declare task: Task<unknown>;
  /** Whether the task runs the function and nothing around it. */
  isBare = false;
  readonly #fn: TaskFunction<unknown>;
  /** What the function has returned. */
  #returned: unknown = undefined;

  constructor(contest: Contest, index: number, fn: TaskFunction<unknown>) {
    this.contest = contest;
    this.index = index;
    this.#fn = fn;
  }

  begin(): unknown {
    const fn = this.#fn;
    return this.#returned = fn();
  }

  /**
   * Drops what it waits for, if the function has only begun to wait and gave
   * that promise away: `() => queue.get()`. No code of it runs behind that.
   */
  drop(error: CancelledError): boolean {
    if (!this.isBare) return false;
    const wait = scopeOf(this.task).onlyWait;
    return wait !== null && wait.promise === this.#returned && wait.drop(error);
  }

  awaited(): void {}

  left(future: Future<unknown>): void {
    // No task's code does what follows.
    if (future.done()) callFromLoop(this.contest.kernel, endOf, this);
  }

  /** The contest has seen to the end already. */
  run(): void {}

  awaiters(): Iterable<Task<unknown>> {
    const { caller } = this.contest;
    return caller === null ? [] : [caller];
  }

  describe(): string {
    return `the end of a contender of ${this.contest.describe()}`;
  }

  static {
    Object.defineProperty(this.prototype, "runsCode", { value: false });
    Object.defineProperty(this.prototype, "retrieves", { value: true });
  }
}

function endOf(entrant: Entrant): void {
  entrant.contest.ended(entrant);
}
