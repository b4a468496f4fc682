/**
 * The workers and the jobs of an executor.
 *
 * Invariants:
 * - While jobs are queued no worker is idle, and there are as many as may be.
 * - A job is in the queue, or with one worker, or over.
 * - If there is a limiter, a worker that has a job, or had it cancelled and is
 *   not done with it, has a token; one that waits for it is neither idle nor
 *   running.
 */
import { forCaller } from "../_internal/caller_frame.ts";
import { type CancelledError, InvalidStateError } from "../errors.ts";
import type { Kernel } from "../loop/kernel.ts";
import type { HostResourceLimits } from "../platform/types/threads.ts";
import type { CapacityLimiter } from "../sync/capacity_limiter.ts";
import type { Hold } from "../sync/hold.ts";
import type { Exposed } from "./_exposed.ts";
import { Job, type JobTarget } from "./_job.ts";
import { type SlotOwner, WorkerSlot } from "./_slot.ts";
import { waitForToken } from "./_tokens.ts";

/** A job that has a worker, and waits for a token. */
interface Waiting {
  slot: WorkerSlot;
  cancel(error: CancelledError): void;
}

export class Pool implements SlotOwner {
  readonly maxWorkers: number;
  readonly #graceMs: number;
  readonly #exposed: Exposed;
  readonly #limits: HostResourceLimits | null;
  readonly #slots = new Set<WorkerSlot>();
  readonly #idle: WorkerSlot[] = [];
  readonly #queue = new Set<Job>();
  readonly #limiter: CapacityLimiter | null;
  readonly #waiting = new Map<Job, Waiting>();
  readonly #tokens = new Map<WorkerSlot, Hold>();
  #isShutDown = false;
  #onEnd: (() => void)[] = [];

  constructor(
    maxWorkers: number,
    graceMs: number,
    exposed: Exposed,
    limits: HostResourceLimits | null,
    limiter: CapacityLimiter | null,
  ) {
    this.#limiter = limiter;
    this.maxWorkers = maxWorkers;
    this.#graceMs = graceMs;
    this.#exposed = exposed;
    this.#limits = limits;
  }

  get workers(): number {
    return this.#slots.size;
  }

  get running(): number {
    return this.#slots.size - this.#idle.length - this.#waiting.size;
  }

  get queued(): number {
    return this.#queue.size + this.#waiting.size;
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
      this.#start(slot, job as Job, false);
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
    const jobs = [...this.#queue, ...this.#waiting.keys()];
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
    this.#giveTokenBack(slot);
    for (const job of this.#queue) {
      this.#queue.delete(job);
      try {
        return this.#start(slot, job, true);
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
    this.#giveTokenBack(slot);
    for (const [{ kernel }, waiting] of this.#waiting) {
      if (waiting.slot !== slot) continue;
      waiting.slot = this.#open(kernel);
      return;
    }
    for (const { kernel } of this.#queue) {
      return this.slotFreed(this.#open(kernel));
    }
    if (!this.#isShutDown || this.#slots.size > 0) return;
    for (const resolve of this.#onEnd.splice(0)) resolve();
  }

  readonly #cancel = (job: Job, error: CancelledError): void => {
    if (this.#queue.delete(job)) return;
    const waiting = this.#waiting.get(job);
    if (waiting !== undefined) {
      this.#waiting.delete(job);
      waiting.cancel(error);
      return this.slotFreed(waiting.slot);
    }
    for (const slot of this.#slots) if (slot.job === job) slot.cancel(error);
  };

  /**
   * Starts a job in a worker that has none, as soon as there is a token for it.
   *
   * @param isHeld Whether its arguments were taken before.
   */
  #start(slot: WorkerSlot, job: Job, isHeld: boolean): void {
    const limiter = this.#limiter;
    if (limiter === null) return slot.start(job);
    const token = limiter.tryAcquireOnBehalfOf(job.future);
    if (token !== null) return this.#startWith(token, slot, job);
    if (!isHeld) job.hold();
    const cancel = waitForToken(
      limiter,
      job,
      (token) => {
        const slot = this.#waited(job);
        // Cancelled in the same instant.
        if (slot === null) return token[Symbol.dispose]();
        try {
          this.#startWith(token, slot, job);
        } catch (error) {
          job.fail(forCaller(error));
          this.slotFreed(slot);
        }
      },
      (error) => {
        const slot = this.#waited(job);
        if (slot === null) return;
        job.fail(error);
        this.slotFreed(slot);
      },
    );
    this.#waiting.set(job, { slot, cancel });
  }

  /** The worker of a job that waited for a token; null if it was cancelled. */
  #waited(job: Job): WorkerSlot | null {
    const slot = this.#waiting.get(job)?.slot ?? null;
    this.#waiting.delete(job);
    return slot;
  }

  #startWith(token: Hold, slot: WorkerSlot, job: Job): void {
    try {
      slot.start(job);
    } catch (error) {
      token[Symbol.dispose]();
      throw error;
    }
    this.#tokens.set(slot, token);
  }

  #giveTokenBack(slot: WorkerSlot): void {
    const token = this.#tokens.get(slot);
    this.#tokens.delete(slot);
    token?.[Symbol.dispose]();
  }

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
