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
import { withStackLimit } from "../_internal/stack_limit.ts";
import { CancelledError, ExceptionGroup } from "../errors.ts";
import { cancelEach } from "../loop/cancel_each.ts";
import { callFromLoop } from "../loop/current.ts";
import { createChecked, loopOf } from "../loop/event_loop.ts";
import { isExitRequest } from "../loop/exit_request.ts";
import { toCancelledError } from "../loop/cancel_request.ts";
import { type Future, futureInternals, type Origin } from "../loop/future.ts";
import type { Kernel } from "../loop/kernel.ts";
import { forgetCancellation, type Scope } from "../loop/scope.ts";
import {
  scopeOf,
  type Task,
  type TaskFunction,
  type TaskOptions,
} from "../loop/task.ts";
import type { Runnable } from "../loop/types.ts";
import { Wait, type WaitSource } from "../loop/wait.ts";
import type { Turns } from "./_turns.ts";

/** One of those who compete. */
export interface Contender {
  readonly fn: TaskFunction<unknown>;
  readonly options: TaskOptions;
}

/** How a contest is held. */
export interface ContestRules {
  /** For messages: `race()`. */
  readonly name: string;
  /** Whether an error leaves it open, as long as others run. */
  readonly untilSuccess: boolean;
  /** Who goes first of those whose turns come together; by default as they come. */
  readonly turns: Turns | null;
  readonly signal: AbortSignal | undefined;
}

/** Who has won, and with what. */
export interface Win {
  readonly index: number;
  readonly value: unknown;
}

type State = "open" | "won" | "failed" | "interrupted";

/**
 * So many iterations a contender that found something at once may take to come
 * by it, before the next one starts: as deep as contests are nested.
 */
const TURNS_TO_COME_BY_IT = 16;

export class Contest implements WaitSource {
  readonly #around: Scope;
  readonly #contenders: readonly Contender[];
  readonly #rules: ContestRules;
  /** Those that were started. */
  readonly #entrants: Entrant[] = [];
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
  /** The caller was cancelled when something was on its way to it. */
  #postponed: CancelledError | null = null;

  constructor(
    around: Scope,
    contenders: readonly Contender[],
    rules: ContestRules,
  ) {
    this.#around = around;
    this.#contenders = contenders;
    this.#rules = rules;
  }

  /**
   * Holds it, and returns when all that were started have ended.
   *
   * @param order The numbers of the contenders, as they are to be started.
   */
  async hold(order: Iterable<number>): Promise<Win> {
    const { signal } = this.#rules;
    const abort = signal === undefined ? null : () => this.#abort();
    if (abort !== null) {
      signal!.addEventListener("abort", abort, { once: true });
    }
    for (const index of order) {
      const task = this.#start(index);
      if (task === null) break;
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
    return this.#conclude();
  }

  /**
   * The caller is cancelled, and so are the contenders. If something is on its way
   * to the caller, that comes first.
   */
  interrupt(error: CancelledError): void {
    if (this.#state === "interrupted") return;
    if (this.#state !== "open" || this.#isHeld) {
      this.#postponed = error;
      return;
    }
    this.#state = "interrupted";
    this.#outcome = error;
    this.#rules.turns?.end();
    this.#cancelAll(error);
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
    return `${this.#rules.name} of ${this.#contenders.length}`;
  }

  #watchTurns(): void {
    const { turns } = this.#rules;
    if (turns === null) return;
    for (const { index, task } of this.#entrants) {
      if (!task.done()) turns.watch(index, scopeOf(task));
    }
  }

  #start(index: number): Task<unknown> | null {
    const { fn, options } = this.#contenders[index]!;
    let task: Task<unknown>;
    try {
      task = createChecked(loopOf(this.#around.kernel), fn, options);
    } catch (error) {
      // A task factory threw, or the loop was closed.
      this.#decide("failed", null, error);
      return null;
    }
    const entrant = new Entrant(this, index, task);
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

  #cancelAll(error: CancelledError): void {
    const running = this.#entrants.filter(({ task }) => !task.done());
    cancelEach(running.map(({ task }) => task), error);
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
    const error = forgetCancellation(this.#around) ?? this.#postponed;
    this.#postponed = null;
    if (error !== null) this.interrupt(error);
    if (this.#rules.signal?.aborted) this.#abort();
    return this.#state === "open";
  }

  #abort(): void {
    if (this.#state !== "open" || this.#isHeld) return;
    this.interrupt(toCancelledError(this.#rules.signal!.reason));
  }

  #succeeded(entrant: Entrant): void {
    if (this.#state === "interrupted") {
      // It declined to be cancelled, as a task may: what it gives is not lost.
      this.#postponed = this.#outcome as CancelledError;
    } else if (this.#state !== "open") return;
    this.#decide("won", entrant, futureInternals.value(entrant.task));
  }

  #failed(entrant: Entrant): void {
    const { task } = entrant;
    const error = futureInternals.value(task);
    if (this.#state === "open") {
      if (!this.#rules.untilSuccess || isExitRequest(error)) {
        this.#decide("failed", entrant, error);
      } else (this.#failures ??= []).push(entrant);
    } else if (
      futureInternals.state(task) === "failed" && !isExitRequest(error)
    ) this.#report(task, error);
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
    this.#rules.turns?.end();
    if (wasOpen && this.#running > 0) this.#cancelAll(this.#defeat());
  }

  /** What those that lost are told. */
  #defeat(): CancelledError {
    const make = () =>
      new CancelledError(
        `Another contender of ${this.#rules.name} has ended first`,
        { by: this.#decider?.task.name },
      );
    if (this.#around.kernel.stacks !== null) return make();
    // It would show nothing but this file, and be what a race costs most for.
    return withStackLimit(undefined, make);
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

  #conclude(): Win {
    if (this.#state === "interrupted") throw this.#outcome;
    if (this.#postponed !== null) rearm(this.#around, this.#postponed);
    this.#around.top.deferred--;
    if (this.#state === "failed") throw this.#outcome;
    return { index: this.#decider!.index, value: this.#outcome };
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

/** Lets the next wait throw the cancellation that was asked for around here. */
function rearm(around: Scope, error: CancelledError): void {
  for (let each: Scope | null = around; each !== null; each = each.parent) {
    if (each.requests > 0 && each.cause === error) return each.remember(error);
    if (each.shielded) return;
  }
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
  readonly task: Task<unknown>;

  constructor(contest: Contest, index: number, task: Task<unknown>) {
    this.contest = contest;
    this.index = index;
    this.task = task;
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
