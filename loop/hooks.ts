/**
 * Instruments: the one seam through which debug mode, the debug module, tests
 * and tracers watch the kernel. A loop without any pays one comparison.
 */
import type { CancelledError } from "../errors.ts";
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
  /** The wait ended, with whatever outcome. */
  waitEnded?(wait: WaitInfo): void;
  /** A step ended that held the loop for `ms` milliseconds. */
  stepEnded?(step: StepInfo, ms: number): void;
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
  #instruments: Instrument[] = [];

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
    this.#kernel.hooks = this.#instruments.length > 0 ? this : null;
    this.#kernel.stepwise = this.#instruments.some((each) =>
      each.stepEnded !== undefined
    );
  }

  taskCreated(task: Task<unknown>): void {
    this.#call("taskCreated", (each) => each.taskCreated?.(task));
  }

  /** Calls `begin`, which schedules a task or runs it. */
  beginTask(task: Task<unknown>, begin: () => void): void {
    if (this.tracer === null) begin();
    else this.tracer.beginTask(task, begin);
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

  waitStarted(wait: Wait<unknown>): void {
    this.#call("waitStarted", (each) => each.waitStarted?.(wait));
  }

  waitFailed(wait: Wait<unknown>, error: unknown): void {
    this.tracer?.waitFailed(wait, error);
  }

  waitEnded(wait: Wait<unknown>): void {
    this.#call("waitEnded", (each) => each.waitEnded?.(wait));
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
        this.remove(instrument);
        this.#kernel.report({
          message: `The instrument's ${name} threw and was removed`,
          error,
        });
      }
    }
  }
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
