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
 * Invariants:
 * - If the loop runs and something is ready, a drain is scheduled.
 * - The alarm is set for the earliest timer or before it.
 * - An idle loop holds no host timer, so it does not keep the program alive.
 */
import { STEPS_A_TURN } from "../_internal/constants.ts";
import { show } from "../_internal/show.ts";
import { RingBuffer } from "../_internal/ring_buffer.ts";
import { InvalidStateError } from "../errors.ts";
import { platform } from "../platform/mod.ts";
import type { Alarm, AlarmTarget, Clock } from "./clock.ts";
import type { CreationStacks } from "./creation_stacks.ts";
import { runIn } from "./current.ts";
import type { EventLoop } from "./event_loop.ts";
import type { Hooks } from "./hooks.ts";
import { filterRejections } from "./rejections.ts";
import { ON_ITS_WAY, Scope } from "./scope.ts";
import { dropBlocks, dropNumber, NumberBlock } from "./scope_numbers.ts";
import { type Timer, TimerHeap } from "./timer_heap.ts";
import type { ExceptionContext, Runnable } from "./types.ts";

interface Run {
  resolve(): void;
  reject(error: unknown): void;
  iterations: number;
}

export class Kernel implements AlarmTarget {
  /** The public face. */
  readonly loop: EventLoop;
  readonly clock: Clock;
  /** An ambient loop always runs; an explicit one while it is told to. */
  readonly ambient: boolean;
  /** The scope of code that runs in no task. */
  readonly root: Scope;
  /** Whether tasks and callbacks run in the async context of their maker. */
  readonly carriesAsyncContext: boolean;
  /** Instruments and debug mode; null while there are none. */
  hooks: Hooks | null = null;
  /** Each step takes a turn of the host's loop of its own, to be measured. */
  stepwise = false;
  /** Where futures, tasks, handles and waits were made; null unless debugging. */
  stacks: CreationStacks | null = null;
  closed = false;
  /** Puts the steps of an iteration in another order; null for as they come. */
  reorder: ((steps: Runnable[]) => void) | null = null;
  /** How many wait for turns of the host to pass before time may. */
  turnsAwaited = 0;
  /** Counts the iterations. */
  iteration = 0;
  /** For its scopes; see scope_numbers.ts. */
  readonly numbers: NumberBlock = new NumberBlock();
  /** Live tasks, by their scopes. */
  tasks: Scope | null = null;

  readonly #ready = new RingBuffer<Runnable>();
  readonly #timers = new TimerHeap();
  readonly #report: (context: ExceptionContext) => void;
  #scheduled = false;
  #wake: () => void = () => {};
  #budget = STEPS_A_TURN;
  /** Of the present iteration: not yet run. */
  #stepsLeft = 0;
  #alarm: Alarm | null = null;
  #alarmAt = Infinity;
  #clearing = false;
  #timerOrder = 0;
  #run: Run | null = null;
  #stopping = false;

  constructor(
    loop: EventLoop,
    clock: Clock,
    ambient: boolean,
    carriesAsyncContext: boolean,
    report: (context: ExceptionContext) => void,
  ) {
    this.loop = loop;
    this.clock = clock;
    this.ambient = ambient;
    this.carriesAsyncContext = carriesAsyncContext;
    this.#report = report;
    this.root = new Scope(this, null, null, null, false);
    kernels.set(loop, this);
    if (ambient) this.#pump(null);
  }

  /** Where `object` was made, if debug mode knows. */
  creationStack(object: object): string | undefined {
    return this.stacks?.of(object);
  }

  // -- ready queue ----------------------------------------------------------

  push(step: Runnable): void {
    if (this.closed) throw this.closedError("schedule a step");
    this.#ready.push(step);
    if (!this.#scheduled) this.#schedule();
  }

  /**
   * The same from a microtask of the library that does nothing after it. Where
   * the step only settles promises and nothing is ahead of it in the queue, its
   * turn has come: there is no need of an iteration.
   */
  runOrPush(step: Runnable): void {
    if (
      this.#scheduled || step.runsCode || this.#budget <= 0 ||
      this.hooks !== null || !this.isRunning
    ) return this.push(step);
    this.#budget--;
    step.run();
  }

  /**
   * The promise of an operation that got something without waiting. It is
   * settled at once while the budget lasts, and after a turn of the host's loop
   * else. As after a wait, a cancellation that comes while the value is on its
   * way to the code comes too late: else the value would be lost with the task.
   */
  succeed<T>(scope: Scope, value: T): Promise<T> {
    scope.top.lastGrant = this.iteration;
    if (--this.#budget > 0) {
      // Of those that only say "done", one is as good as the other.
      return value === undefined
        ? microtask as Promise<T>
        : Promise.resolve(value);
    }
    return new Promise((resolve) => {
      this.push(new Deferred(resolve, value, scope.top));
    });
  }

  isIdle(): boolean {
    return this.#ready.size === 0 && !this.#scheduled &&
      this.turnsAwaited === 0;
  }

  get isRunning(): boolean {
    return (this.ambient && !this.closed) || this.#run !== null;
  }

  #schedule(): void {
    if (!this.isRunning) return;
    this.#scheduled = true;
    if (this.#budget <= 0 || this.stepwise) platform.setImmediate(this.#turn);
    else if (this.#ready.peek()?.runsCode === true) this.#wake();
    else microtask.then(this.#iterate);
  }

  readonly #turn = (): void => {
    this.#budget = STEPS_A_TURN;
    this.#wake();
  };

  /** An iteration that begins with steps that only settle promises. */
  readonly #iterate = (): void => {
    if (!this.#begin()) return;
    // A step that runs code is left to the pump, in its async context.
    this.#drain(false);
    if (this.#stepsLeft > 0) this.#wake();
    else this.#end();
  };

  /**
   * Runs the steps that run code, in the async context in which the loop was
   * started.
   *
   * Steps that settle promises are batched. Their effects are microtasks, so
   * before a step that runs code itself the pump waits one: thus all steps have
   * their effects in the order of the queue.
   */
  async #pump(run: Run | null): Promise<void> {
    let woken = new Promise<void>(this.#awaitWake);
    while (this.#run === run && !this.closed) {
      await woken;
      if (this.#run !== run) return;
      // Made before anything can wake the pump again.
      woken = new Promise<void>(this.#awaitWake);
      if (this.#stepsLeft === 0 && !this.#begin()) continue;
      if (this.stepwise) {
        this.#drainOne();
        continue;
      }
      this.#drain(true);
      while (this.#stepsLeft > 0) {
        await microtask;
        if (this.#run !== run) return;
        this.#drain(true);
      }
      this.#end();
    }
  }

  readonly #awaitWake = (resolve: () => void): void => {
    this.#wake = resolve;
  };

  /** Begins an iteration: it runs what is ready now. */
  #begin(): boolean {
    if (!this.isRunning || this.#finishIfStopped()) return false;
    this.iteration = (this.iteration + 1) % ON_ITS_WAY;
    this.#stepsLeft = this.#ready.size;
    if (this.reorder !== null) this.#reorder(this.reorder);
    this.#budget -= this.#stepsLeft;
    return true;
  }

  #reorder(reorder: (steps: Runnable[]) => void): void {
    const steps = [...this.#ready];
    reorder(steps);
    this.#ready.clear();
    for (const step of steps) this.#ready.push(step);
  }

  #end(): void {
    if (this.#run !== null) this.#run.iterations++;
    this.#scheduled = false;
    this.#setAlarm();
    if (this.#hasMore()) this.#schedule();
  }

  /**
   * Runs the steps of the iteration, up to one that has to wait a microtask.
   *
   * @param inPump Whether this may run code.
   */
  #drain(inPump: boolean): void {
    const ready = this.#ready;
    let settled = !inPump;
    while (this.#stepsLeft > 0) {
      const step = ready.peek() as Runnable;
      if (!step.runsCode) settled = true;
      else if (settled) return;
      if (step.inRoot === true) {
        runIn(this.root, this.#drainRoot, undefined, undefined);
      } else this.#runNext();
    }
  }

  /** The same for the callbacks at the head of the queue, in the root scope. */
  readonly #drainRoot = (): void => {
    const ready = this.#ready;
    while (this.#stepsLeft > 0 && ready.peek()?.inRoot === true) {
      this.#runNext();
    }
  };

  /** A step may end the run, and with it the iteration. */
  #runNext(): void {
    this.#stepsLeft--;
    try {
      this.#ready.shift()?.run();
    } catch (error) {
      this.report({ message: "A step of the event loop threw", error });
    }
  }

  /**
   * One step, then a turn of the host, then the next: so a step has a length.
   * Only what expires together stays together, as it makes a difference.
   */
  #drainOne(): void {
    let step = this.#ready.peek();
    if (step === undefined) {
      this.#stepsLeft = 0;
      return this.#end();
    }
    const end = this.hooks?.stepStarted(step);
    for (let joined = true; joined && step !== undefined;) {
      joined = step.joinsNext === true && this.#stepsLeft > 1;
      this.#runNext();
      step = this.#ready.peek();
    }
    platform.setImmediate(() => {
      end?.();
      if (this.#stepsLeft <= 0) {
        this.#stepsLeft = 0;
        this.#end();
      } else platform.setImmediate(this.#turn);
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
    platform.setImmediate(() => {
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
        `Cannot run the event loop as it is already running: received a call on ${this.loop}`,
      );
    }
    return new Promise((resolve, reject) => {
      this.#run = { resolve, reject, iterations: 0 };
      this.#pump(this.#run);
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

  // -- errors ---------------------------------------------------------------

  report(context: ExceptionContext): void {
    this.#report(context);
  }

  closedError(action: string): InvalidStateError {
    return new InvalidStateError(
      `Cannot ${action} as the event loop is closed: received a call on ${this.loop}`,
    );
  }

  toString(): string {
    return String(this.loop);
  }
}

const microtask: Promise<unknown> = Promise.resolve();
const kernels = new WeakMap<EventLoop, Kernel>();

/** The kernel behind a loop's public face. */
export function kernelOf(loop: EventLoop): Kernel {
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
  readonly #top: Scope;

  constructor(resolve: (value: T) => void, value: T, top: Scope) {
    this.#resolve = resolve;
    this.#value = value;
    this.#top = top;
    // On its way from now on, until its turn has come.
    top.lastGrant = ON_ITS_WAY;
  }

  run(): void {
    this.#top.lastGrant = this.#top.kernel.iteration;
    this.#resolve(this.#value);
  }

  describe(): string {
    return "an operation that succeeded at once";
  }
}

function forgetBelow(scope: Scope): void {
  dropNumber(scope);
  for (let child = scope.children; child !== null; child = child.after) {
    forgetBelow(child);
  }
}
