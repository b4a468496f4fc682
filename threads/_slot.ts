/**
 * One worker, and the job it has.
 *
 * ```text
 *   idle --start(job)--> busy --done--> idle ...
 *                         | cancel()
 *                         v
 *                       told --done--> idle ...
 *                         | the grace is over
 *                         v
 *                        ended, as after a crash: another takes its place
 * ```
 *
 * A worker has one job at a time, so that ending it hurts no other.
 */
import { alsoForCaller, forCaller } from "../_internal/caller_frame.ts";
import { LONGEST_HOST_TIMER_MS } from "../_internal/constants.ts";
import { errorLine } from "../_internal/error_text.ts";
import { BrokenWorkerError, type CancelledError } from "../errors.ts";
import { runIn } from "../loop/current.ts";
import type { Kernel } from "../loop/kernel.ts";
import { capturePlace } from "../platform/async_storage.ts";
import { hostThreads } from "../platform/threads.ts";
import { hostTimers } from "../platform/timers.ts";
import type { AsyncPlace } from "../platform/types/async_storage.ts";
import type {
  HostResourceLimits,
  HostWorker,
} from "../platform/types/threads.ts";
import type { HostHandle } from "../platform/types/timers.ts";
import { describeError, reviveError } from "./_errors.ts";
import { type Exposed, ExposedCalls } from "./_exposed.ts";
import type { Job } from "./_job.ts";
import {
  type CallMessage,
  CANCELLED,
  type DoneMessage,
  isMarked,
  type MessageFromWorker,
  type MessageToWorker,
  STARTED,
  type WorkerData,
} from "./_messages.ts";
import { providedNames } from "./_provided_names.ts";

/** What a slot tells its pool. */
export interface SlotOwner {
  /** Its job has ended, and it can take another. */
  slotFreed(slot: WorkerSlot): void;
  /** Its worker has ended. */
  slotEnded(slot: WorkerSlot): void;
}

export class WorkerSlot {
  readonly #owner: SlotOwner;
  readonly #graceMs: number;
  readonly #worker: HostWorker;
  readonly #shared = new Int32Array(new SharedArrayBuffer(8));
  readonly #calls: ExposedCalls;
  readonly #key = Math.random();
  #number = 0;
  #job: Job | null = null;
  /** The loop of the last job, which is told of what goes wrong after it. */
  #kernel: Kernel;
  /** Where that job was submitted. */
  #place: AsyncPlace = capturePlace();
  #grace: HostHandle = null;
  #ending = false;
  /** What ended the worker. */
  #failure: unknown = null;

  constructor(
    owner: SlotOwner,
    kernel: Kernel,
    exposed: Exposed,
    graceMs: number,
    limits: HostResourceLimits | null,
  ) {
    this.#owner = owner;
    this.#kernel = kernel;
    this.#graceMs = graceMs;
    this.#calls = new ExposedCalls(exposed, this.#post);
    const data: WorkerData = {
      shared: this.#shared,
      names: providedNames(),
      key: this.#key,
    };
    // The host keeps the async context for the listeners, and with it the task.
    this.#worker = runIn(
      kernel.root,
      () =>
        hostThreads.start(data, limits, {
          message: (message) => {
            if (isMarked(message, this.#key)) this.#receive(message);
          },
          ended: (status, error) => this.#end(status, error),
        }),
      null,
      null,
    );
  }

  get job(): Job | null {
    return this.#job;
  }

  /**
   * Gives it a job, at a time when it has none.
   *
   * @throws {TypeError} When the job cannot be cloned; it has none then.
   */
  start(job: Job): void {
    // As the shared memory counts.
    const number = (this.#number + 1) | 0;
    // First: a worker that has done the job knows it for the last one.
    Atomics.store(this.#shared, STARTED, number);
    job.send(number, this.#post);
    Atomics.notify(this.#shared, STARTED);
    this.#number = number;
    this.#job = job;
    this.#kernel = job.kernel;
    this.#place = job.place;
    this.#worker.hold(true);
  }

  /** Tells the job that it was cancelled, and ends it if it does not end. */
  cancel(error: CancelledError): void {
    Atomics.store(this.#shared, CANCELLED, this.#number);
    this.#post({
      kind: "cancel",
      number: this.#number,
      error: describeError(error),
    });
    if (this.#graceMs <= LONGEST_HOST_TIMER_MS) {
      this.#grace = hostTimers.setTimer(() => this.end(), this.#graceMs);
    }
  }

  /** Ends the worker, whatever it is doing. */
  end(): void {
    this.#ending = true;
    // Whoever waits for its end is to see it.
    this.#worker.hold(true);
    this.#worker.terminate();
  }

  readonly #post = (
    message: MessageToWorker,
    transfer: readonly object[] = [],
  ): void => this.#worker.post(message, transfer);

  #receive(message: MessageFromWorker): void {
    switch (message.kind) {
      case "done":
        return this.#done(message);
      case "call":
        return this.#place.run(this.#call, message);
      case "cancelCall":
        return this.#calls.cancel(message);
      case "crash":
        this.#failure = reviveError(message.error);
        return this.#worker.terminate();
    }
  }

  readonly #call = (message: CallMessage): void =>
    this.#calls.call(message, this.#job?.context ?? null, this.#kernel);

  #done(message: DoneMessage): void {
    const job = this.#job;
    // Ended in this moment: the job is dealt with when the worker is gone.
    if (job === null || this.#ending || this.#failure !== null) return;
    this.#leaveJob();
    this.#worker.hold(false);
    if (message.error === undefined) job.succeed(message.value);
    else job.fail(alsoForCaller(reviveError(message.error)));
    this.#owner.slotFreed(this);
  }

  #end(status: number, error: unknown): void {
    const job = this.#job;
    const failure = this.#failure ?? error;
    this.#leaveJob();
    this.#calls.cancelAll();
    this.#owner.slotEnded(this);
    const cause = failure === null ? undefined : { cause: failure };
    if (job !== null) {
      const how = failure === null
        ? `has ended with status ${status}`
        : isOutOfMemory(failure)
        ? "ran out of memory, as 'resourceLimits' allows no more"
        : `was ended by an error that nothing caught: ${errorLine(failure)}`;
      job.fail(
        forCaller(
          new BrokenWorkerError(
            `Cannot give the result of ${job.what} as its worker ${how}`,
            { exitCode: status, ...cause },
          ),
        ),
      );
    } else if (failure !== null && !this.#ending) {
      this.#place.run(this.#report, failure);
    }
  }

  readonly #report = (error: unknown): void =>
    this.#kernel.report({
      message:
        "A worker was ended, between two jobs, by an error that nothing caught",
      error,
    });

  #leaveJob(): void {
    this.#job = null;
    if (this.#grace === null) return;
    hostTimers.clearTimer(this.#grace);
    this.#grace = null;
  }
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error &&
    (error as { code?: unknown }).code === "ERR_WORKER_OUT_OF_MEMORY";
}
