/**
 * Code of the user runs as a reaction to a promise: a task's first step, and a
 * callback. The reaction is registered where the task is made or the callback
 * scheduled, so the host itself brings along the async context of that place,
 * and with it what any other library keeps in an `AsyncLocalStorage`. The loop
 * only decides when the promise is settled.
 *
 * ```text
 *   callSoon(a)      callSoon(b)     callSoon(c)     one gate for neighbours
 *        |               |               |
 *        +--- reaction --+--- reaction --+--- registered, each in its context
 *                        |
 *      the turn of a: the gate opens, and a, b, c run as three microtasks
 * ```
 *
 * Callbacks that stand side by side in the ready queue share a gate, as nothing
 * comes between their reactions either. A task has one of its own: what it does
 * before its first wait may take more than one microtask.
 */
import { enterStep } from "./entered.ts";
import type { Kernel } from "./kernel.ts";
import type { Runnable } from "./types.ts";

/** A step that runs code in the async context in which it was made. */
export interface CodeStep extends Runnable {
  gate: Gate;
  /** Runs the code, as the reaction. */
  enter(): void;
}

export class Gate {
  declare readonly kernel: Kernel;
  /** The step in whose turn it was opened. */
  declare private opener: CodeStep | null;
  declare private readonly promise: Promise<void>;
  declare private resolve: () => void;
  /** The run of the loop in which it was opened. */
  declare private run: object | null;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
    this.opener = null;
    this.promise = new Promise<void>((resolve) => {
      this.resolve = resolve;
    });
    this.run = null;
  }

  /** Registers the reaction of `step`, in the present async context. */
  add(step: CodeStep): void {
    step.gate = this;
    this.promise.then(() => {
      if (this.run === this.kernel.currentRun) enterStep(step);
      else this.postpone(step);
    });
  }

  /** Lets the code behind it run, as the next microtasks, in the turn of `step`. */
  open(step: CodeStep): void {
    if (this.opener !== null) return;
    const { kernel } = this;
    this.opener = step;
    this.run = kernel.currentRun;
    kernel.woken = this;
    this.resolve();
  }

  /**
   * The run has ended meanwhile: the step waits on, in its context, for its turn
   * in the next one. The others are still in the queue.
   */
  private postpone(step: CodeStep): void {
    new Gate(this.kernel).add(step);
    if (step === this.opener) this.kernel.putBack(step);
  }
}
