/**
 * The points at which a task can be interrupted, in the order they come up: it
 * has begun to wait, or its turn has come, which it might have missed. One of
 * them is chosen, and there the task is cancelled.
 */
import type { RingBuffer } from "../_internal/ring_buffer.ts";
import type { Instrument, WaitInfo } from "../loop/hooks.ts";
import type { Task } from "../loop/task.ts";
import type { Runnable } from "../loop/types.ts";
import { lineOfCall } from "./_lines.ts";

/** Where a cancellation came. */
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
  readonly #names: ReadonlySet<string> | null;
  readonly #chosen: number | null;
  /** The test's own task is the first to be made. */
  #main: Task<unknown> | null = null;
  /** The lines of the waits that last began, by their tasks. */
  readonly #lines = new WeakMap<Task<unknown>, string | null>();

  /** @param names Of the tasks that are meant; null for all. */
  constructor(names: ReadonlySet<string> | null, chosen: number | null) {
    this.#names = names;
    this.#chosen = chosen;
  }

  taskCreated(task: Task<unknown>): void {
    this.#main ??= task;
  }

  waitStarted({ task, what }: WaitInfo): void {
    if (task === null || !this.#isMeant(task)) return;
    // The count alone needs no lines.
    if (this.#chosen !== null) this.#lines.set(task, lineOfCall());
    if (!this.#isChosen()) return;
    this.#reach(task, what);
    // It is not in its place yet, such as the queue of a lock.
    task.getLoop().callSoon(() => void task.cancel());
  }

  /** Called before each step. */
  look(ready: RingBuffer<Runnable>): void {
    const step = ready.peek()!;
    const task = step.task ?? null;
    if (task === null || !this.#isMeant(task) || !this.#isChosen()) return;
    this.#reach(task, step.describe());
    task.cancel();
  }

  #isMeant(task: Task<unknown>): boolean {
    return task !== this.#main && !task.done() &&
      (this.#names === null || this.#names.has(task.name));
  }

  #isChosen(): boolean {
    return this.found++ === this.#chosen;
  }

  #reach(task: Task<unknown>, wait: string): void {
    this.reached = {
      task: task.name,
      wait,
      line: this.#lines.get(task) ?? null,
    };
  }
}
