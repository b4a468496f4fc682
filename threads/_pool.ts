/**
 * The workers and the jobs of an executor.
 *
 * Invariants:
 * - While jobs are queued no worker is idle, and there are as many as may be.
 * - A job is in the queue, or with one worker, or over.
 */
import { forCaller } from "../_internal/caller_frame.ts";
import { type CancelledError, InvalidStateError } from "../errors.ts";
import type { Kernel } from "../loop/kernel.ts";
import type { HostResourceLimits } from "../platform/types/threads.ts";
import type { Exposed } from "./_exposed.ts";
import { Job, type JobTarget } from "./_job.ts";
import { type SlotOwner, WorkerSlot } from "./_slot.ts";

export class Pool implements SlotOwner {
  readonly maxWorkers: number;
  readonly #graceMs: number;
  readonly #exposed: Exposed;
  readonly #limits: HostResourceLimits | null;
  readonly #slots = new Set<WorkerSlot>();
  readonly #idle: WorkerSlot[] = [];
  readonly #queue = new Set<Job>();
  #isShutDown = false;
  #onEnd: (() => void)[] = [];

  constructor(
    maxWorkers: number,
    graceMs: number,
    exposed: Exposed,
    limits: HostResourceLimits | null,
  ) {
    this.maxWorkers = maxWorkers;
    this.#graceMs = graceMs;
    this.#exposed = exposed;
    this.#limits = limits;
  }

  get workers(): number {
    return this.#slots.size;
  }

  get running(): number {
    return this.#slots.size - this.#idle.length;
  }

  get queued(): number {
    return this.#queue.size;
  }

  get isShutDown(): boolean {
    return this.#isShutDown;
  }

  /**
   * Gives a job to an idle worker or a new one, or else to the queue.
   *
   * @throws {InvalidStateError} When the pool is shut down.
   * @throws {TypeError} When an argument cannot be cloned.
   */
  submit<T>(
    target: JobTarget,
    what: string,
    args: readonly unknown[],
  ): Job<T>["future"] {
    if (this.#isShutDown) {
      throw new InvalidStateError(
        `Cannot run ${what} in a worker as the executor is shut down`,
      );
    }
    const job = new Job<T>(target, what, args, this.#cancel);
    let slot = this.#idle.pop();
    if (slot === undefined) {
      if (this.#slots.size >= this.maxWorkers) {
        job.hold();
        this.#queue.add(job as Job);
        return job.future;
      }
      slot = this.#open(job.kernel);
    }
    try {
      slot.start(job as Job);
    } catch (error) {
      this.#idle.push(slot);
      throw error;
    }
    return job.future;
  }

  /** Takes no more jobs; the workers end after those there are. */
  shutDown(): void {
    this.#isShutDown = true;
    // A worker may end while it is told to, and so leave the list.
    for (const slot of [...this.#idle]) slot.end();
  }

  cancelAll(reason: string): void {
    const jobs = [...this.#queue];
    for (const { job } of this.#slots) if (job !== null) jobs.push(job);
    for (const job of jobs) job.future.cancel(reason);
  }

  /** When all workers have ended. */
  whenEnded(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#slots.size === 0) resolve();
      else this.#onEnd.push(resolve);
    });
  }

  slotFreed(slot: WorkerSlot): void {
    for (const job of this.#queue) {
      this.#queue.delete(job);
      try {
        return slot.start(job);
      } catch (error) {
        job.fail(forCaller(error));
      }
    }
    if (this.#isShutDown) slot.end();
    else this.#idle.push(slot);
  }

  slotEnded(slot: WorkerSlot): void {
    this.#slots.delete(slot);
    const index = this.#idle.indexOf(slot);
    if (index >= 0) this.#idle.splice(index, 1);
    for (const { kernel } of this.#queue) {
      return this.slotFreed(this.#open(kernel));
    }
    if (!this.#isShutDown || this.#slots.size > 0) return;
    for (const resolve of this.#onEnd.splice(0)) resolve();
  }

  readonly #cancel = (job: Job, error: CancelledError): void => {
    if (this.#queue.delete(job)) return;
    for (const slot of this.#slots) if (slot.job === job) slot.cancel(error);
  };

  #open(kernel: Kernel): WorkerSlot {
    const slot = new WorkerSlot(
      this,
      kernel,
      this.#exposed,
      this.#graceMs,
      this.#limits,
    );
    this.#slots.add(slot);
    return slot;
  }
}
