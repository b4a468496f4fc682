/** Which task of this process has leased which job. */
import type { Future } from "../loop/future.ts";
import { type Holder, holdsFor } from "../loop/holdings.ts";
import type { Task } from "../loop/task.ts";

/** A job that a task has. */
export interface Lease<T> {
  readonly number: number;
  readonly session: number;
  readonly item: T;
  /** Who has it; `null` for code outside of any task. */
  task: Task<unknown> | null;
}

export class Leases<T> implements Holder {
  readonly #byTask = new Map<Future<unknown> | null, Set<Lease<T>>>();
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
      if (task !== null) this.#watch(task);
    }
    leases.add(lease);
  }

  #watch(task: Task<unknown>): void {
    holdsFor(this, task);
    task.addDoneCallback(() => {
      for (const orphan of this.#take(task)) this.#onOrphan(orphan, task);
    });
  }

  *#take(task: Task<unknown>): Iterable<Lease<T>> {
    const leases = this.#byTask.get(task);
    this.#byTask.delete(task);
    if (leases !== undefined) yield* leases;
  }

  /** An item that `from` returns is for the task that called for it. */
  handOn(
    from: Future<unknown>,
    to: Task<unknown> | null,
    value: unknown,
  ): void {
    for (const lease of this.#byTask.get(from) ?? []) {
      if (!carries(value, lease.item)) continue;
      this.remove(lease);
      lease.task = to;
      this.add(lease);
      return;
    }
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

/** Whether it is the item, or what an iterator or `select` gives it out in. */
function carries(value: unknown, item: unknown): boolean {
  if (Object.is(value, item)) return true;
  if (typeof value !== "object" || value === null) return false;
  try {
    const inside = Object.getOwnPropertyDescriptor(value, "value");
    return inside !== undefined && Object.is(inside.value, item);
  } catch {
    // A proxy of the user, which is none of these.
    return false;
  }
}
