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
import { RingBuffer } from "../_internal/ring_buffer.ts";
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
  /** Resolved with the gate, so that one reaction does for all. */
  declare private readonly promise: Promise<Gate>;
  declare private readonly resolve: (gate: Gate) => void;
  /** The run of the loop in which it was opened. */
  declare private run: object | null;
  /** The step whose reaction is the next, and those behind it. */
  declare private next: CodeStep | null;
  declare private others: RingBuffer<CodeStep> | null;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
    this.opener = null;
    this.promise = new Promise<Gate>(takeResolve);
    this.resolve = taken!;
    // It would hold this gate, and what is behind it.
    taken = null;
    this.run = null;
    this.next = null;
    this.others = null;
  }

  /** Registers the reaction of `step`, in the present async context. */
  add(step: CodeStep): void {
    step.gate = this;
    if (this.next === null) this.next = step;
    else (this.others ??= new RingBuffer()).push(step);
    this.promise.then(Gate.enterNext);
  }

  /** Lets the code behind it run, as the next microtasks, in the turn of `step`. */
  open(step: CodeStep): void {
    if (this.opener !== null) return;
    const { kernel } = this;
    this.opener = step;
    this.run = kernel.currentRun;
    kernel.woken = this;
    this.resolve(this);
  }

  /**
   * The reaction of the next step. If the run has ended meanwhile, the step waits
   * on, in its context, for its turn in the next one; the others are still in the
   * queue.
   */
  private static enterNext(gate: Gate): void {
    const { kernel } = gate;
    const step = gate.next as CodeStep;
    gate.next = gate.others?.shift() ?? null;
    if (gate.run === kernel.currentRun) return enterStep(step);
    new Gate(kernel).add(step);
    if (step === gate.opener) kernel.putBack(step);
  }
}

// One function and one variable for all gates, as closures cost memory.

let taken: ((gate: Gate) => void) | null = null;

function takeResolve(resolve: (gate: Gate) => void): void {
  taken = resolve;
}
