/**
 * Instruments: the one seam through which debug mode, the debug module, tests
 * and tracers watch the kernel. A loop without any pays one comparison.
 */
import type { CancelledError } from "../errors.ts";
import { peekScope } from "./entered.ts";
import type { Future } from "./future.ts";
import type { Handle } from "./handle.ts";
import type { Kernel } from "./kernel.ts";
import { nextBelow, type Scope } from "./scope.ts";
import type { Task } from "./task.ts";
import type { Runnable } from "./types.ts";
import type { Wait } from "./wait.ts";

/**
 * Watches an event loop. Every method is optional and called synchronously, so
 * it must be quick; one that throws is reported and its instrument removed.
 */
export interface Instrument {
  /** A task was made; it has not started. */
  taskCreated?(task: Task<unknown>): void;
  /** A task starts: its function is called, unless it was cancelled before. */
  taskStarted?(task: Task<unknown>): void;
  /** A task ended, with whatever outcome. */
  taskEnded?(task: Task<unknown>): void;
  /** A task was asked to cancel. */
  taskCancelRequested?(task: Task<unknown>, error: CancelledError): void;
  /** A future that is not a task was made. */
  futureCreated?(future: Future<unknown>): void;
  /** A callback was scheduled. */
  handleCreated?(handle: Handle): void;
  /** A task began to wait for `what`: `sleep(10)`, `Lock.acquire`, ... */
  waitStarted?(wait: WaitInfo): void;
  /**
   * What it waits for has come, or failed, or it was cancelled: it goes on in
   * its turn. Not told of one that needs nothing but its turn or the time.
   *
   * @param by The task whose code did that, or the future at whose end it was
   * done; null if it was the host.
   */
  waitDecided?(wait: WaitInfo, by: Future<unknown> | null): void;
  /** The wait ended, with whatever outcome. */
  waitEnded?(wait: WaitInfo): void;
  /** A step ended that held the loop for `ms` milliseconds. */
  stepEnded?(step: StepInfo, ms: number): void;
  /** A callback of `callSoon`, or of a timer, is about to be called. */
  callbackStarted?(handle: Handle): void;
  /** It has returned, or thrown. */
  callbackEnded?(handle: Handle): void;
  /** The host has had a turn, as the loop had so much to do that it gave it one. */
  turnEnded?(): void;
  /** Nothing is ready any more; the code of the last step may still run. */
  loopIdle?(): void;
}

/** A step of the loop, as an {@linkcode Instrument} sees it. */
export interface StepInfo {
  /** The task whose step it was; null for a callback. */
  readonly task: Task<unknown> | null;
  /** What it was: `the first step of <Task ...>`, `<Handle tick>`, ... */
  readonly what: string;
  /** Where its task or handle was made; in debug mode only. */
  readonly createdAt?: string;
}

/** A wait, as an {@linkcode Instrument} sees it: the same object at its end. */
export interface WaitInfo {
  /** The task that waits; null for code in no task. */
  readonly task: Task<unknown> | null;
  /** What it waits for. */
  readonly what: string;
}

type HookName = keyof Instrument;

/** The instrument behind the tracing channels, which is told of more. */
export interface TaskTracer extends Instrument {
  /** A task is about to be scheduled, or to run, which `begin` does. */
  beginTask(task: Task<unknown>, begin: () => void): void;
  /** A wait is about to end with an error. */
  waitFailed(wait: WaitInfo, error: unknown): void;
}

/** The instruments of one loop, and the calls the kernel makes. */
export class Hooks {
  /** One of the instruments, while someone has subscribed to a channel. */
  tracer: TaskTracer | null = null;
  readonly #kernel: Kernel;
  readonly #now: () => number;
  #instruments: readonly Instrument[] = [];
  // Of what happens at every wait, only those that want to know it are asked.
  #ofStarts: readonly Instrument[] = [];
  #ofDecisions: readonly Instrument[] = [];
  #ofEnds: readonly Instrument[] = [];
  /** The future at whose end the running step of the library is done. */
  #cause: Future<unknown> | null = null;
  /**
   * The scopes in which a `sleep(0)` has ended, the last one first, while the only
   * instrument there is lets a number of them pass and looks at them afterwards. To
   * tell it of each would be most of what it costs.
   */
  readonly turns: Scope[] = [];
  turnsLeft = 0;
  /** How many were left when another instrument came, which wants to hear of all. */
  turnsRefused = 0;

  constructor(kernel: Kernel, now: () => number) {
    this.#kernel = kernel;
    this.#now = now;
  }

  add(instrument: Instrument): void {
    this.#instruments = [...this.#instruments, instrument];
    this.#refresh();
  }

  remove(instrument: Instrument): void {
    this.#instruments = this.#instruments.filter((each) => each !== instrument);
    this.#refresh();
  }

  /** The kernel asks only where someone answers, and measures only then. */
  #refresh(): void {
    const having = (name: HookName) =>
      this.#instruments.filter((each) => each[name] !== undefined);
    this.#kernel.hooks = this.#instruments.length > 0 ? this : null;
    this.#kernel.stepwise = having("stepEnded").length > 0;
    this.#ofStarts = having("waitStarted");
    this.#ofDecisions = having("waitDecided");
    this.#ofEnds = having("waitEnded");
    this.turnsRefused += this.turnsLeft;
    this.turnsLeft = 0;
  }

  taskCreated(task: Task<unknown>): void {
    this.#call("taskCreated", (each) => each.taskCreated?.(task));
  }

  taskStarted(task: Task<unknown>): void {
    this.#call("taskStarted", (each) => each.taskStarted?.(task));
  }

  taskEnded(task: Task<unknown>): void {
    this.#call("taskEnded", (each) => each.taskEnded?.(task));
  }

  taskCancelRequested(task: Task<unknown>, error: CancelledError): void {
    this.#call(
      "taskCancelRequested",
      (each) => each.taskCancelRequested?.(task, error),
    );
  }

  futureCreated(future: Future<unknown>): void {
    this.#call("futureCreated", (each) => each.futureCreated?.(future));
  }

  handleCreated(handle: Handle): void {
    this.#call("handleCreated", (each) => each.handleCreated?.(handle));
  }

  callbackStarted(handle: Handle): void {
    this.#call("callbackStarted", (each) => each.callbackStarted?.(handle));
  }

  callbackEnded(handle: Handle): void {
    this.#call("callbackEnded", (each) => each.callbackEnded?.(handle));
  }

  turnEnded(): void {
    this.#call("turnEnded", (each) => each.turnEnded?.());
  }

  loopIdle(): void {
    this.#call("loopIdle", (each) => each.loopIdle?.());
  }

  // A closure a wait, as `#call` takes, would be most of what these cost.

  /** Whether an instrument is the only one, and may let turns pass. */
  isAlone(): boolean {
    return this.#instruments.length === 1;
  }

  waitStarted(wait: Wait<unknown>): void {
    const instruments = this.#ofStarts;
    for (let i = 0; i < instruments.length; i++) {
      try {
        instruments[i]!.waitStarted!(wait);
      } catch (error) {
        this.#expel(instruments[i]!, "waitStarted", error);
      }
    }
  }

  waitFailed(wait: Wait<unknown>, error: unknown): void {
    this.tracer?.waitFailed(wait, error);
  }

  waitEnded(wait: Wait<unknown>): void {
    const instruments = this.#ofEnds;
    for (let i = 0; i < instruments.length; i++) {
      try {
        instruments[i]!.waitEnded!(wait);
      } catch (error) {
        this.#expel(instruments[i]!, "waitEnded", error);
      }
    }
  }

  waitDecided(wait: Wait<unknown>): void {
    if (this.#ofDecisions.length === 0) return;
    this.#decided(wait, peekScope()?.task ?? this.#cause);
  }

  /** A future is done, and so are the waits for it. */
  futureDone(future: Future<unknown>, steps: Iterable<Runnable>): void {
    if (this.#ofDecisions.length === 0) return;
    // The scope of a task that has ended leads to the loop's root.
    const by = peekScope()?.task ?? this.#cause ?? future;
    for (const step of steps) if (isWait(step)) this.#decided(step, by);
  }

  /** Calls `fn`, which is done at the end of `future`. */
  atEndOf(future: Future<unknown>, fn: () => void): void {
    this.#cause = future;
    try {
      fn();
    } finally {
      this.#cause = null;
    }
  }

  #decided(wait: Wait<unknown>, by: Future<unknown> | null): void {
    for (const each of this.#ofDecisions) {
      try {
        each.waitDecided!(wait, by);
      } catch (error) {
        this.#expel(each, "waitDecided", error);
      }
    }
  }

  /** Begins to measure a step; the function it returns ends it. */
  stepStarted(step: Runnable): () => void {
    const start = this.#now();
    return () => {
      const ms = this.#now() - start;
      const info = this.#describe(step);
      step.ended?.();
      this.#call("stepEnded", (each) => each.stepEnded?.(info, ms));
    };
  }

  #describe(step: Runnable): StepInfo {
    const { task = null } = step;
    const createdAt = this.#kernel.creationStack(task ?? step);
    return {
      task,
      what: step.describe(),
      ...(createdAt === undefined ? undefined : { createdAt }),
    };
  }

  #call(name: HookName, call: (instrument: Instrument) => void): void {
    for (const instrument of this.#instruments) {
      try {
        call(instrument);
      } catch (error) {
        this.#expel(instrument, name, error);
      }
    }
  }

  #expel(instrument: Instrument, name: HookName, error: unknown): void {
    this.remove(instrument);
    this.#kernel.report({
      message: `The instrument's ${name} threw and was removed`,
      error,
    });
  }
}

function isWait(step: Runnable): step is Wait<unknown> {
  return (step as Partial<Wait<unknown>>).promise !== undefined;
}

/** The waits of a scope and of those inside it, for stacks and reports. */
export function waitsBelow(scope: Scope): Wait<unknown>[] {
  const found: Wait<unknown>[] = [];
  for (
    let each: Scope | null = scope;
    each !== null;
    each = nextBelow(scope, each)
  ) {
    for (let wait = each.waits; wait !== null; wait = wait.next) {
      found.push(wait);
    }
  }
  return found;
}
