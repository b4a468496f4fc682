/**
 * The workers and the jobs of an executor.
 *
 * Invariants:
 * - While jobs are queued, or were sent ahead, no worker is idle, and there are
 *   as many as may be.
 * - A job is in the queue, or with one worker, or over.
 * - Both hold whenever code of the program runs: arguments are cloned while a job
 *   is nowhere yet, and its worker is neither idle nor takes another one.
 * - None is sent ahead if there is a limiter.
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
  /** What was taken back comes first, then the others in their order. */
  #queue = new Set<Job>();
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
    let ahead = 0;
    for (const slot of this.#slots) ahead += slot.ahead;
    return ahead + this.#queue.size + this.#waiting.size;
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
    this.#checkOpen(what);
    const job = new Job<T>(target, what, args, this.#cancel);
    let slot = this.#freeSlot(job.kernel);
    if (slot === null) {
      job.hold();
      // A getter of an argument may have cancelled jobs, or shut this down.
      this.#checkOpen(what);
      slot = this.#freeSlot(job.kernel);
    }
    if (slot === null) {
      this.#queue.add(job as Job);
      // If there are others, no worker takes one ahead now.
      if (this.#queue.size === 1) this.#sendAhead();
      return job.future;
    }
    try {
      this.#start(slot, job as Job);
    } catch (error) {
      // Getters that ran before the error may have submitted others.
      this.#giveJob(slot);
      throw error;
    }
    return job.future;
  }

  #checkOpen(what: string): void {
    if (!this.#isShutDown) return;
    throw new InvalidStateError(
      `Cannot run ${what} in a worker as the executor is shut down`,
    );
  }

  /** A worker that has no job, and that nobody else is given meanwhile. */
  #freeSlot(kernel: Kernel): WorkerSlot | null {
    const slot = this.#idle.pop();
    if (slot !== undefined) return slot;
    return this.#slots.size < this.maxWorkers ? this.#open(kernel) : null;
  }

  /** Takes no more jobs; the workers end after those there are. */
  shutDown(): void {
    this.#isShutDown = true;
    // A worker may end while it is told to, and so leave the list.
    for (const slot of [...this.#idle]) slot.end();
  }

  cancelAll(reason: string): void {
    const jobs = [...this.#queue, ...this.#waiting.keys()];
    for (const slot of this.#slots) jobs.push(...slot.jobs);
    for (const job of jobs) job.future.cancel(reason);
  }

  /** When all workers have ended. */
  whenEnded(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#slots.size === 0) resolve();
      else this.#onEnd.push(resolve);
    });
  }

  jobOver(slot: WorkerSlot): void {
    this.#giveTokenBack(slot);
    for (const each of this.#slots) {
      if (each.ahead > 0 && each.isSlow) this.#putBack(each.takeBackAll());
    }
    if (slot.isIdle) this.#giveJob(slot);
    this.#sendAhead();
  }

  slotEnded(slot: WorkerSlot, left: readonly Job[]): void {
    this.#slots.delete(slot);
    const index = this.#idle.indexOf(slot);
    if (index >= 0) this.#idle.splice(index, 1);
    this.#giveTokenBack(slot);
    this.#putBack(left);
    if (this.#queue.size === 0) {
      // There is room for another worker, so none is to wait behind others.
      const job = this.#takeBackOne();
      if (job !== null) this.#queue.add(job);
    }
    for (const [{ kernel }, waiting] of this.#waiting) {
      if (waiting.slot !== slot) continue;
      waiting.slot = this.#open(kernel);
      return;
    }
    for (const { kernel } of this.#queue) {
      return this.#giveJob(this.#open(kernel));
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
      return this.#giveJob(waiting.slot);
    }
    for (const slot of this.#slots) {
      if (!slot.has(job)) continue;
      this.#putBack(slot.cancel(job));
      if (slot.isIdle) this.jobOver(slot);
      else this.#sendAhead();
      // Last, as getters of the reason may do anything.
      slot.tellWhy(job, error);
      return;
    }
  };

  /** Gives a job to a worker that has none. */
  #giveJob(slot: WorkerSlot): void {
    for (const job of this.#queue) {
      this.#queue.delete(job);
      if (this.#tryStart(slot, job)) return;
    }
    const job = this.#takeBackOne();
    if (job !== null && this.#tryStart(slot, job)) return;
    if (this.#isShutDown) slot.end();
    else this.#idle.push(slot);
  }

  /** A job that was sent ahead to a worker which has others to do before it. */
  #takeBackOne(): Job | null {
    for (const slot of this.#slots) {
      const job = slot.takeBackLast();
      if (job !== null) return job;
    }
    return null;
  }

  /** Puts jobs where the queue begins: they were submitted before those in it. */
  #putBack(jobs: readonly Job[]): void {
    if (jobs.length > 0) this.#queue = new Set([...jobs, ...this.#queue]);
  }

  /** Sends queued jobs to workers that have one, but are soon done with it. */
  #sendAhead(): void {
    if (this.#limiter !== null) return;
    for (const job of this.#queue) {
      const slot = job.isRepeatable ? this.#slotAhead() : null;
      if (slot === null) return;
      this.#queue.delete(job);
      this.#tryStart(slot, job);
    }
  }

  /** Of the workers that take a job ahead, the one with the fewest. */
  #slotAhead(): WorkerSlot | null {
    let fewest: WorkerSlot | null = null;
    for (const slot of this.#slots) {
      if (!slot.takesAhead) continue;
      if (fewest === null || slot.ahead < fewest.ahead) fewest = slot;
    }
    return fewest;
  }

  /** Starts a job that was queued; a failure is the job's own. */
  #tryStart(slot: WorkerSlot, job: Job): boolean {
    try {
      this.#start(slot, job);
      return true;
    } catch (error) {
      job.fail(forCaller(error));
      return false;
    }
  }

  /** Starts a job in a worker that has none, as soon as there is a token for it. */
  #start(slot: WorkerSlot, job: Job): void {
    const limiter = this.#limiter;
    if (limiter === null) return slot.send(job);
    const token = limiter.tryAcquireOnBehalfOf(job.future);
    if (token !== null) return this.#startWith(token, slot, job);
    job.hold();
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
          this.#giveJob(slot);
        }
      },
      (error) => {
        const slot = this.#waited(job);
        if (slot === null) return;
        job.fail(error);
        this.#giveJob(slot);
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
      slot.send(job);
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
