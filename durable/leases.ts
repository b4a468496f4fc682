/** Which task of this process has leased which job. */
import type { Task } from "../loop/task.ts";

/** A job that a task has. */
export interface Lease<T> {
  readonly number: number;
  readonly session: number;
  readonly item: T;
  /** Who has it; `null` for code outside of any task. */
  task: Task<unknown> | null;
}

export class Leases<T> {
  readonly #byTask = new Map<Task<unknown> | null, Set<Lease<T>>>();
  readonly #onOrphan: (lease: Lease<T>, task: Task<unknown>) => void;

  /** @param onOrphan Called for each lease that a task has when it ends. */
  constructor(onOrphan: (lease: Lease<T>, task: Task<unknown>) => void) {
    this.#onOrphan = onOrphan;
  }

  add(lease: Lease<T>): void {
    const { task } = lease;
    let leases = this.#byTask.get(task);
    if (leases === undefined) {
      leases = new Set();
      this.#byTask.set(task, leases);
      task?.addDoneCallback(() => {
        for (const orphan of this.#take(task)) this.#onOrphan(orphan, task);
      });
    }
    leases.add(lease);
  }

  *#take(task: Task<unknown> | null): Iterable<Lease<T>> {
    const leases = this.#byTask.get(task);
    this.#byTask.delete(task);
    if (leases !== undefined) yield* leases;
  }

  /** The one that a task has had the longest. */
  firstOf(task: Task<unknown> | null): Lease<T> | null {
    for (const lease of this.#byTask.get(task) ?? []) return lease;
    return null;
  }

  has(lease: Lease<T>): boolean {
    return this.#byTask.get(lease.task)?.has(lease) === true;
  }

  remove(lease: Lease<T>): void {
    // The set stays, and with it the callback on the task.
    this.#byTask.get(lease.task)?.delete(lease);
    if (lease.task === null || lease.task.done()) {
      if (this.firstOf(lease.task) === null) this.#byTask.delete(lease.task);
    }
  }
}
