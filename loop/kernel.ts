/**
 * The kernel: what an event loop is made of, as the rest of the library sees
 * it. The public face of it is `EventLoop`.
 *
 * The host's loop does the I/O; this one orders steps and owns time.
 *
 * ```text
 *   callSoon, a settled future, sleep(0) --> ready queue --> drain: one
 *   timers --> heap --> alarm of the clock -->+               iteration
 * ```
 *
 * A drain runs what was ready when it began. It is scheduled as a microtask
 * while the budget lasts, which costs a tenth of a turn of the host's loop, and
 * as a turn once it is spent: so no code can starve sockets and timers, however
 * it is written. Operations that succeed without waiting spend the same budget.
 *
 * A step wakes the code of one task, and the next step comes when that code has
 * run: when it has come to its next wait, or its task has ended, or, if it
 * awaits a promise that is not the library's, after some microtasks. So what it does, such as
 * cancelling the others, finds the others still waiting.
 *
 * Invariants:
 * - Two steps that wake code never have their effects at the same time.
 * - If the loop runs and something is ready, a drain is scheduled.
 * - The alarm is set for the earliest timer or before it.
 * - An idle loop holds no host timer, so it does not keep the program alive.
 */
import { STEPS_A_TURN, WAKING_HOPS } from "../_internal/constants.ts";
import { show } from "../_internal/show.ts";
import { RingBuffer } from "../_internal/ring_buffer.ts";
import { InvalidStateError } from "../errors.ts";
import { can, DEFAULT_LOOP, refusal } from "../platform/limits.ts";
import { hostTimers } from "../platform/timers.ts";
import type { Alarm, AlarmTarget, Clock } from "./clock.ts";
import type { Context } from "./context.ts";
import type { CreationStacks } from "./creation_stacks.ts";
import { enterStep } from "./entered.ts";
import type { EventLoop } from "./event_loop.ts";
import { type Report, toContext, writeException } from "./exceptions.ts";
import { type CodeStep, Gate } from "./gate.ts";
import type { Hooks } from "./hooks.ts";
import { filterRejections } from "./rejections.ts";
import { nextBelow, Scope } from "./scope.ts";
import { dropBlocks, dropNumber, NumberBlock } from "./scope_numbers.ts";
import { type Timer, TimerHeap } from "./timer_heap.ts";
import type { ExceptionContext, InLine, Line, Runnable } from "./types.ts";

interface Run {
  resolve(): void;
  reject(error: unknown): void;
  iterations: number;
}

export class Kernel implements AlarmTarget {
  /** The public face; null while nobody has asked for the default loop's. */
  loop: EventLoop | null = null;
  /** Told of errors that no one is there to catch. */
  tell: (context: ExceptionContext) => void = writeException;
  readonly clock: Clock;
  /** An ambient loop always runs; an explicit one while it is told to. */
  readonly ambient: boolean;
  /** The scope of code that runs in no task. */
  readonly root: Scope;
  /** Instruments and debug mode; null while there are none. */
  hooks: Hooks | null = null;
  /** Each step takes a turn of the host's loop of its own, to be measured. */
  stepwise = false;
  /** Where futures, tasks, handles and waits were made; null unless debugging. */
  stacks: CreationStacks | null = null;
  closed: boolean;
  /**
   * Called before each step, with the queue and how many of it belong to this
   * iteration: may put another step first, and gives how many there are then, at
   * least one. Null for as they come.
   */
  beforeStep: ((ready: RingBuffer<Runnable>, left: number) => number) | null =
    null;
  /** What is left to chance: from 0 to below 1; seeded, it can be had again. */
  random: () => number = Math.random;
  /** Picks a number from 0 to below its argument; if null, `random` does that. */
  choose: ((below: number) => number) | null = null;
  /** Called with one who has come last in a line: may move it up; null for never. */
  passInLine: ((line: Line, last: InLine) => void) | null = null;
  /** How many wait for turns of the host to pass before time may. */
  turnsAwaited = 0;
  /**
   * Whose code the last step has woken, while it has not yet come to its next
   * wait: a task, a gate, or the kernel for code in no task.
   */
  woken: object | null = null;
  /** For its scopes; see scope_numbers.ts. */
  readonly numbers: NumberBlock = new NumberBlock();
  /** Live tasks, by their scopes. */
  tasks: Scope | null = null;

  readonly #ready = new RingBuffer<Runnable>();
  readonly #timers = new TimerHeap();
  #scheduled = false;
  /** The next stretch of the present run. */
  #go: () => void = () => {};
  /** The same with a new budget. */
  #turn: () => void = () => {};
  #budget = STEPS_A_TURN;
  /** How many more microtasks the code that was woken is waited for. */
  #hopsLeft = 0;
  /** The gate of the last step in the queue, if it can be joined. */
  #gate: Gate | null = null;
  /** The first step, if the microtask that comes for it has its context. */
  #leader: CodeStep | null = null;
  #leaderRun: Run | null = null;
  /** Of the present iteration: not yet run. */
  #stepsLeft = 0;
  #alarm: Alarm | null = null;
  #alarmAt = Infinity;
  #clearing = false;
  #timerOrder = 0;
  #run: Run | null = null;
  #stopping = false;

  constructor(clock: Clock, ambient: boolean, context: Context) {
    this.clock = clock;
    this.ambient = ambient;
    this.closed = ambient && !can(DEFAULT_LOOP);
    this.root = Scope.detached(this, context);
    if (ambient) this.#startRun(null);
  }

  /** Where `object` was made, if debug mode knows. */
  creationStack(object: object): string | undefined {
    return this.stacks?.of(object);
  }

  // -- ready queue ----------------------------------------------------------

  push(step: Runnable): void {
    if (this.closed) throw this.closedError("schedule a step");
    this.#gate = null;
    this.#ready.push(step);
    if (!this.#scheduled) this.#schedule();
  }

  /**
   * The same for code that is to run in the present async context.
   *
   * @param sharesGate Whether it may share a gate with its neighbours.
   */
  pushCode(step: CodeStep, sharesGate: boolean): void {
    if (this.closed) throw this.closedError("schedule a step");
    if (this.#mayLead()) {
      this.#leader = step;
      this.#leaderRun = this.#run;
      this.#gate = null;
    } else {
      let gate = sharesGate ? this.#gate : null;
      // Steps that are measured, or put in another order, do not share one.
      if (gate === null || this.stepwise || this.beforeStep !== null) {
        gate = new Gate(this);
      }
      this.#gate = sharesGate ? gate : null;
      gate.add(step);
    }
    this.#ready.push(step);
    if (!this.#scheduled) this.#schedule();
  }

  /**
   * Makes a step the next one: one that came to nothing, as the run had ended, or
   * one that may let no other come between.
   */
  putBack(step: Runnable): void {
    if (this.closed) return;
    this.#ready.unshift(step);
    if (!this.#scheduled) this.#schedule();
  }

  /**
   * Whether a step that is pushed now comes first in a microtask that is queued
   * for it. That microtask has the async context of now: the step needs no gate.
   */
  #mayLead(): boolean {
    return !this.#scheduled && this.#ready.size === 0 && this.#budget > 0 &&
      !this.stepwise && this.beforeStep === null && this.#leader === null &&
      this.isRunning;
  }

  /**
   * Runs a step from a microtask, or a callback of the host, that does nothing
   * after it. If the step only settles promises, and neither a step nor code
   * that was woken is ahead of it, its turn has come: there is no need of an
   * iteration.
   *
   * @returns False if it has to wait for its turn.
   */
  tryRun(step: Runnable): boolean {
    if (
      this.#scheduled || step.runsCode || this.#budget <= 0 ||
      this.hooks !== null || this.woken !== null || !this.isRunning
    ) return false;
    this.#budget--;
    this.#hopsLeft = WAKING_HOPS;
    step.run();
    return true;
  }

  /**
   * The promise of an operation that got something without waiting. It is
   * settled at once while the budget lasts, and otherwise after a turn of the
   * host's loop.
   */
  succeed<T>(scope: Scope, value: T): Promise<T> {
    if (--this.#budget > 0) {
      // Of those that only say "done", one is as good as the other.
      return value === undefined
        ? microtask as Promise<T>
        : Promise.resolve(value);
    }
    return new Promise((resolve) => {
      this.push(new Deferred(resolve, value, scope));
    });
  }

  isIdle(): boolean {
    return this.#ready.size === 0 && !this.#scheduled &&
      this.turnsAwaited === 0;
  }

  get isRunning(): boolean {
    return (this.ambient && !this.closed) || this.#run !== null;
  }

  /** What is run now; null by a loop that is not run by anyone. */
  get currentRun(): object | null {
    return this.#run;
  }

  #schedule(): void {
    if (!this.isRunning) return;
    this.#scheduled = true;
    if (this.#budget <= 0 || this.stepwise) hostTimers.setImmediate(this.#turn);
    else hostTimers.queueMicrotask(this.#go);
  }

  /** What an earlier run has left scheduled does nothing in this one. */
  #startRun(run: Run | null): void {
    this.#run = run;
    this.#go = () => {
      if (this.#run === run && !this.closed) this.#continue();
      else if (this.#leaderRun === run) this.#dismissLeader();
    };
    this.#turn = () => {
      if (this.#run !== run || this.closed) return;
      this.#budget = STEPS_A_TURN;
      // In a turn of the host all microtasks have run.
      this.woken = null;
      if (this.hooks !== null) this.hooks.turnEnded();
      this.#continue();
    };
  }

  /** Runs the steps of the iteration, up to one that wakes code. */
  #continue(): void {
    if (this.woken !== null) {
      if (this.#hopsLeft-- > 0) return hostTimers.queueMicrotask(this.#go);
      this.woken = null;
    }
    if (this.#stepsLeft === 0 && !this.#begin()) return this.#dismissLeader();
    if (this.stepwise) return this.#runOne();
    while (this.#stepsLeft > 0) {
      if (this.beforeStep !== null) this.#order(this.beforeStep);
      this.#runNext();
      if (this.woken === null) continue;
      this.#hopsLeft = WAKING_HOPS;
      if (this.#stepsLeft > 0) return hostTimers.queueMicrotask(this.#go);
    }
    this.#end();
  }

  /** Begins an iteration: it runs what is ready now. */
  #begin(): boolean {
    if (!this.isRunning || this.#finishIfStopped()) return false;
    this.#gate = null;
    this.#stepsLeft = this.#ready.size;
    this.#budget -= this.#stepsLeft;
    return true;
  }

  #order(beforeStep: NonNullable<Kernel["beforeStep"]>): void {
    if (this.#ready.size === 0) return;
    this.#stepsLeft = beforeStep(this.#ready, this.#stepsLeft);
  }

  #end(): void {
    if (!this.isRunning) return;
    if (this.#run !== null) this.#run.iterations++;
    this.#scheduled = false;
    this.#setAlarm();
    if (this.#hasMore()) this.#schedule();
    else if (this.hooks !== null) this.hooks.loopIdle();
  }

  /** The run has ended before its turn: it waits on, in its context. */
  #dismissLeader(): void {
    const step = this.#leader;
    this.#leader = null;
    if (step !== null) new Gate(this).add(step);
  }

  /** A step may end the run, and with it the iteration. */
  #runNext(): void {
    this.#stepsLeft--;
    const step = this.#ready.shift();
    try {
      if (step === undefined) return;
      if (step !== this.#leader) step.run();
      else {
        this.#leader = null;
        enterStep(step as CodeStep);
      }
    } catch (error) {
      this.report({ message: "A step of the event loop threw", error });
    }
  }

  /** One step, then a turn of the host, then the next: so a step has a length. */
  #runOne(): void {
    if (this.beforeStep !== null) this.#order(this.beforeStep);
    const step = this.#ready.peek();
    if (step === undefined) {
      this.#stepsLeft = 0;
      return this.#end();
    }
    const run = this.#run;
    const end = this.hooks?.stepStarted(step);
    this.#runNext();
    hostTimers.setImmediate(() => {
      end?.();
      if (this.#run !== run || this.closed) return;
      if (this.#stepsLeft <= 0) {
        this.#stepsLeft = 0;
        this.woken = null;
        this.#end();
      } else hostTimers.setImmediate(this.#turn);
    });
  }

  #hasMore(): boolean {
    return this.#ready.size > 0 || this.#stopping;
  }

  // -- timers ---------------------------------------------------------------

  now(): number {
    return this.clock.now();
  }

  nextTimerOrder(): number {
    return this.#timerOrder++;
  }

  addTimer(timer: Timer): void {
    if (this.closed) throw this.closedError("set a timer");
    this.#timers.push(timer);
    // The alarm is set at the end of the iteration, once for all new timers;
    // one that was cancelled by then has cost the host nothing.
    if (timer.heapIndex === 0 && !this.#scheduled) this.#schedule();
  }

  removeTimer(timer: Timer): void {
    if (this.#timers.remove(timer) && this.#timers.size === 0) {
      this.#clearAlarmLater();
    }
  }

  /** The clock says that the time may have come. */
  ring(): void {
    this.#alarm = null;
    this.#alarmAt = Infinity;
    if (!this.isRunning) return;
    this.#budget = STEPS_A_TURN;
    const now = this.clock.now();
    const timers = this.#timers;
    for (
      let timer = timers.peek();
      timer !== undefined && timer.deadline <= now;
      timer = timers.peek()
    ) {
      timers.remove(timer);
      timer.due();
    }
    if (!this.#scheduled) this.#schedule();
  }

  #setAlarm(): void {
    const timer = this.#timers.peek();
    if (timer === undefined || timer.deadline >= this.#alarmAt) return;
    if (!this.isRunning) return;
    this.#alarm?.cancel();
    this.#alarmAt = timer.deadline;
    this.#alarm = this.clock.setAlarm(timer.deadline, this);
  }

  /**
   * A timeout around an operation that succeeds sets a timer and removes it,
   * over and over; the alarm is therefore cleared once a turn, not each time.
   */
  #clearAlarmLater(): void {
    if (this.#alarm === null || this.#clearing) return;
    this.#clearing = true;
    hostTimers.setImmediate(() => {
      this.#clearing = false;
      if (this.#timers.size === 0) this.#clearAlarm();
    });
  }

  #clearAlarm(): void {
    this.#alarm?.cancel();
    this.#alarm = null;
    this.#alarmAt = Infinity;
  }

  // -- running --------------------------------------------------------------

  /** Runs until {@linkcode stop}; rejects with what {@linkcode abort} is given. */
  runForever(): Promise<void> {
    if (this.closed) throw this.closedError("run");
    if (this.isRunning) {
      throw new InvalidStateError(
        `Cannot run the event loop as it is already running: received a call on ${this}`,
      );
    }
    return new Promise((resolve, reject) => {
      this.#startRun({ resolve, reject, iterations: 0 });
      if (!this.#scheduled) this.#schedule();
    });
  }

  /** Ends the run after the present iteration, or after the first one. */
  stop(): void {
    this.#stopping = true;
    if (this.#run !== null && !this.#scheduled) this.#schedule();
  }

  /** Ends the run at once, with an error. */
  abort(error: unknown): void {
    const run = this.#endRun();
    if (run !== null) return run.reject(error);
    // The default loop ends with the program, which this ends.
    filterRejections();
    queueMicrotask(() => Promise.reject(error));
  }

  close(): void {
    this.closed = true;
    this.#clearAlarm();
    this.#ready.clear();
    this.#timers.clear();
    for (let scope = this.tasks; scope !== null; scope = scope.after) {
      forgetBelow(scope);
    }
    dropBlocks(this);
  }

  #finishIfStopped(): boolean {
    if (!this.#stopping || this.#run === null || this.#run.iterations === 0) {
      return false;
    }
    this.#endRun()?.resolve();
    return true;
  }

  #endRun(): Run | null {
    const run = this.#run;
    this.#run = null;
    this.#stepsLeft = 0;
    this.#stopping = false;
    this.#scheduled = false;
    this.woken = null;
    this.#clearAlarm();
    return run;
  }

  // -- tasks, by their scopes -----------------------------------------------

  addTask(scope: Scope): void {
    scope.after = this.tasks;
    if (this.tasks !== null) this.tasks.before = scope;
    this.tasks = scope;
  }

  removeTask(scope: Scope): void {
    const { before, after } = scope;
    if (before !== null) before.after = after;
    else if (this.tasks === scope) this.tasks = after;
    if (after !== null) after.before = before;
    scope.before = scope.after = null;
  }

  // -- what vanishes --------------------------------------------------------

  /** Takes out the steps and the timers that are gone. */
  takeOut(isGone: (step: Runnable | Timer) => boolean): void {
    const steps = [...this.#ready];
    this.#ready.clear();
    // Something stands in its place, as the steps of the iteration are counted.
    for (const step of steps) {
      const isOut = isGone(step);
      if (isOut && step === this.#leader) this.#leader = null;
      this.#ready.push(isOut ? nothing : step);
    }
    for (const timer of [...this.#timers.items]) {
      if (isGone(timer)) this.removeTimer(timer);
    }
  }

  // -- errors ---------------------------------------------------------------

  /** The loop goes on, unless whoever is told ends it. */
  report(report: Report): void {
    try {
      this.tell(toContext(report));
    } catch (error) {
      this.abort(error);
    }
  }

  closedError(action: string): Error {
    if (this.ambient && !can(DEFAULT_LOOP)) {
      return refusal(DEFAULT_LOOP, `${action} in the default event loop`);
    }
    return new InvalidStateError(
      `Cannot ${action} as the event loop is closed: received a call on ${this}`,
    );
  }

  toString(): string {
    const state = this.closed
      ? "closed"
      : this.isRunning
      ? "running"
      : "stopped";
    return `<EventLoop ${state}>`;
  }
}

/** Stands for a step that was taken out. */
const nothing: Runnable = {
  runsCode: false,
  run() {},
  describe: () => "a step of code that is gone",
};

const microtask: Promise<unknown> = Promise.resolve();
const kernels = new WeakMap<EventLoop, LoopKernel>();

/** A kernel that has its public face, as those of futures and tasks do. */
export type LoopKernel = Kernel & { readonly loop: EventLoop };

/** Makes `loop` the public face of `kernel`. */
export function giveLoop(kernel: Kernel, loop: EventLoop): LoopKernel {
  kernel.loop = loop;
  kernels.set(loop, kernel as LoopKernel);
  return kernel as LoopKernel;
}

/** The kernel behind a loop's public face. */
export function kernelOf(loop: EventLoop): LoopKernel {
  const kernel = kernels.get(loop);
  if (kernel === undefined) {
    throw new TypeError(
      `Cannot use 'loop' as it must be an EventLoop: received ${show(loop)}`,
    );
  }
  return kernel;
}

/** The result of an operation that found the budget spent. */
class Deferred<T> implements Runnable {
  readonly runsCode = false;
  readonly #resolve: (value: T) => void;
  readonly #value: T;
  readonly scope: Scope;

  constructor(resolve: (value: T) => void, value: T, scope: Scope) {
    this.#resolve = resolve;
    this.#value = value;
    this.scope = scope;
    scope.top.deferred++;
  }

  run(): void {
    const { kernel, task, top } = this.scope;
    top.deferred--;
    kernel.woken = task ?? kernel;
    this.#resolve(this.#value);
  }

  describe(): string {
    return "an operation that succeeded at once";
  }
}

function forgetBelow(scope: Scope): void {
  for (
    let each: Scope | null = scope;
    each !== null;
    each = nextBelow(scope, each)
  ) dropNumber(each);
}
