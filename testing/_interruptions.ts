/**
 * The points at which a task can be interrupted, in the order they come up: it
 * has begun to wait, or its turn has come, which it might have missed. One of
 * them is chosen, and there the task is cancelled, the time of the block that it
 * waits in is over, or the simulated host that it runs on crashes.
 */
import type { RingBuffer } from "../_internal/ring_buffer.ts";
import type { Instrument, WaitInfo } from "../loop/hooks.ts";
import type { Task } from "../loop/task.ts";
import type { Runnable } from "../loop/types.ts";
import { Wait } from "../loop/wait.ts";
import { ownTimeout, strikeNow } from "../tasks/timeout.ts";
import { crashOf } from "./_crash_of_code.ts";
import { lineOfCall } from "./_lines.ts";

/** What interrupts a task. */
export type Interruption = "cancel" | "timeout" | "crash";

/** Which points are meant. */
export interface Points {
  /** The names of the tasks; null for all but the test's own. */
  readonly names: ReadonlySet<string> | null;
  readonly by: Interruption;
  /** The number of the chosen one; null for none. */
  readonly chosen: number | null;
}

/** Where an interruption came. */
export interface Point {
  readonly task: string;
  /** What the task waited for, or was about to do. */
  readonly wait: string;
  /** The line of the wait, as in a stack; null if it is not known. */
  readonly line: string | null;
}

export class Interruptions implements Instrument {
  /** How many there were. */
  found = 0;
  /** The chosen one, once it has come up. */
  reached: Point | null = null;
  readonly #points: Points;
  /** The test's own task is the first to be made. */
  #main: Task<unknown> | null = null;
  /** The lines of the waits that last began, by their tasks. */
  readonly #lines = new WeakMap<Task<unknown>, string | null>();

  constructor(points: Points) {
    this.#points = points;
  }

  taskCreated(task: Task<unknown>): void {
    this.#main ??= task;
  }

  waitStarted(info: WaitInfo): void {
    const { task, what } = info;
    if (task === null || !this.#isMeant(task)) return;
    // The count alone needs no lines.
    if (this.#points.chosen !== null) this.#lines.set(task, lineOfCall());
    const interrupt = this.#interruptionOf(task, info);
    if (interrupt === null || !this.#isChosen()) return;
    this.#reach(task, what);
    // It is not in its place yet, such as the queue of a lock.
    task.getLoop().callSoon(interrupt);
  }

  /** Called before each step. */
  look(ready: RingBuffer<Runnable>): void {
    const step = ready.peek()!;
    const task = step.task ?? null;
    if (task === null || !this.#isMeant(task)) return;
    const interrupt = this.#interruptionOf(task, step);
    if (interrupt === null || !this.#isChosen()) return;
    this.#reach(task, step.describe());
    interrupt();
  }

  /** Interrupts what the task waits for; null if nothing can. */
  #interruptionOf(task: Task<unknown>, wait: object): (() => void) | null {
    if (this.#points.by === "cancel") return () => void task.cancel();
    if (this.#points.by === "crash") return crashOf(task);
    const deadline = wait instanceof Wait ? ownTimeout(wait.scope) : null;
    if (deadline === null || deadline.expired()) return null;
    return () => strikeNow(deadline);
  }

  #isMeant(task: Task<unknown>): boolean {
    const { names } = this.#points;
    return task !== this.#main && !task.done() &&
      (names === null || names.has(task.name));
  }

  #isChosen(): boolean {
    return this.found++ === this.#points.chosen;
  }

  #reach(task: Task<unknown>, wait: string): void {
    this.reached = {
      task: task.name,
      wait,
      line: this.#lines.get(task) ?? null,
    };
  }
}
