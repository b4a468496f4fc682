/**
 * One worker, the job it has, and those that were sent ahead of their time.
 *
 * ```text
 *   idle --send(job)--> busy --done--> idle, or busy with the next ...
 *                         | cancel()
 *                         v
 *                       told --done--> idle ...
 *                         | the grace is over, and no other job is to be heard of
 *                         v
 *                        ended, as after a crash: another takes its place
 * ```
 *
 * A worker has one job at a time, so that ending it hurts no other. If its jobs
 * are quick, a few more are sent before it is done: otherwise it would wait for
 * each until this thread has woken up and sent it. What it has not begun can be
 * taken back. What it has done is waited for, as Deno throws away what is on
 * its way from a worker that is told to end.
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
  DONE,
  type DoneMessage,
  isMarked,
  type MessageFromWorker,
  type MessageToWorker,
  SENT,
  type WorkerData,
} from "./_messages.ts";
import { claim, offer, SHARED_BYTES } from "./_offers.ts";
import { providedNames } from "./_provided_names.ts";

/** A job that takes no longer than this, in milliseconds, is quick. */
const QUICK_MS = 2;
/** How many jobs are sent ahead at most. */
const AHEAD = 4;

/** What a slot tells its pool. */
export interface SlotOwner {
  /** A job of it is over. */
  jobOver(slot: WorkerSlot): void;
  /**
   * Its worker has ended.
   *
   * @param left Jobs that it has not begun, for another one.
   */
  slotEnded(slot: WorkerSlot, left: readonly Job[]): void;
}

/** A job that was sent to the worker, and is not over. */
interface Sent {
  readonly job: Job;
  readonly number: number;
}

export class WorkerSlot {
  readonly #owner: SlotOwner;
  readonly #graceMs: number;
  readonly #worker: HostWorker;
  readonly #shared = new Int32Array(new SharedArrayBuffer(SHARED_BYTES));
  readonly #calls: ExposedCalls;
  readonly #key = Math.random();
  #number = 0;
  /** Whether a job is cloned, which may run code of the program. */
  #isSending = false;
  /** In their order: the worker has the first, or is about to take it. */
  readonly #sent: Sent[] = [];
  /** When the first became that: in milliseconds, as the host counts. */
  #since = 0;
  /** Whether the last job was quick; `null` if there was none. */
  #wasQuick: boolean | null = null;
  /** The loop of the last job, which is told of what goes wrong after it. */
  #kernel: Kernel;
  /** Where that job was submitted. */
  #place: AsyncPlace = capturePlace();
  /** The job that was told that it was cancelled. */
  #told: Sent | null = null;
  #grace: HostHandle = null;
  #isGraceOver = false;
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

  get isIdle(): boolean {
    return this.#sent.length === 0;
  }

  /** The jobs it has, and those that were sent ahead. */
  get jobs(): Job[] {
    return this.#sent.map(({ job }) => job);
  }

  has(job: Job): boolean {
    return this.#sent.some((sent) => sent.job === job);
  }

  /** How many jobs were sent ahead. */
  get ahead(): number {
    return Math.max(0, this.#sent.length - 1);
  }

  /** Whether to send it one more job while it has one. */
  get takesAhead(): boolean {
    return this.#wasQuick === true && this.#told === null && !this.#isBroken &&
      !this.#isSending && this.#sent.length <= AHEAD && !this.isSlow;
  }

  /** Whether its job takes so long that the others had better go elsewhere. */
  get isSlow(): boolean {
    return hostTimers.now() - this.#since > QUICK_MS;
  }

  get #isBroken(): boolean {
    return this.#ending || this.#failure !== null;
  }

  /**
   * Sends it a job.
   *
   * @throws {TypeError} When the job cannot be cloned; the worker has nothing
   * of it then.
   */
  send(job: Job): void {
    const number = this.#number = offer(this.#shared, this.#number);
    // First: a worker that has done the job knows it for the last one.
    Atomics.store(this.#shared, SENT, number);
    this.#isSending = true;
    try {
      job.send(number, this.#post);
    } catch (error) {
      claim(this.#shared, number);
      throw error;
    } finally {
      this.#isSending = false;
    }
    Atomics.notify(this.#shared, SENT);
    if (this.#sent.push({ job, number }) > 1) return;
    this.#worker.hold(true);
    this.#firstChanged();
  }

  /** Takes back, in their order, the jobs that were sent ahead. */
  takeBackAll(): Job[] {
    return this.#takeBack(this.#sent.splice(1));
  }

  /** Takes back the last of the jobs that were sent ahead. */
  takeBackLast(): Job | null {
    if (this.ahead === 0) return null;
    const [job = null] = this.#takeBack(this.#sent.splice(-1));
    return job;
  }

  /**
   * Takes a job back, or tells it that it was cancelled and ends it if it does
   * not end.
   *
   * @returns The jobs that were sent ahead, as they are not to wait for that.
   */
  cancel(job: Job): Job[] {
    const index = this.#sent.findIndex((sent) => sent.job === job);
    const sent = this.#sent[index] as Sent;
    if (claim(this.#shared, sent.number)) {
      this.#sent.splice(index, 1);
      if (index === 0) this.#firstChanged();
      return [];
    }
    const back = this.takeBackAll();
    // If the worker has begun a later one, this one is over.
    if (this.#sent.at(-1) === sent) this.#tell(sent);
    return back;
  }

  /** Follows on {@linkcode cancel}: a job that waits is sent the error. */
  tellWhy(job: Job, error: CancelledError): void {
    if (this.#told?.job !== job) return;
    const { number } = this.#told;
    this.#post({ kind: "cancel", number, error: describeError(error) });
  }

  #tell(sent: Sent): void {
    Atomics.store(this.#shared, CANCELLED, sent.number);
    this.#forget();
    this.#told = sent;
    if (this.#graceMs <= LONGEST_HOST_TIMER_MS) {
      this.#grace = hostTimers.setTimer(this.#onGraceOver, this.#graceMs);
    }
  }

  readonly #onGraceOver = (): void => {
    this.#isGraceOver = true;
    this.#endIfOverdue();
  };

  /** Ends the worker if its job was to be over by now, and hurts no other. */
  #endIfOverdue(): void {
    if (!this.#isGraceOver || this.#isBroken) return;
    const told = this.#told as Sent;
    // It has begun this one, so those before it are done: they come first.
    if (this.#sent[0] !== told) return;
    if (Atomics.load(this.#shared, DONE) !== told.number) this.end();
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
    this.#calls.call(
      message,
      this.#sent[0]?.job.context ?? null,
      this.#kernel,
    );

  #done(message: DoneMessage): void {
    // Ended in this moment: its job, of which there is but one, was cancelled or
    // has failed.
    if (this.#isBroken) return;
    const sent = this.#sent.shift();
    if (sent === undefined) return;
    this.#wasQuick = !this.isSlow;
    if (this.#told === sent) this.#forget();
    this.#firstChanged();
    const { job } = sent;
    if (message.error === undefined) job.succeed(message.value);
    else job.fail(alsoForCaller(reviveError(message.error)));
    this.#owner.jobOver(this);
    this.#endIfOverdue();
  }

  #end(status: number, error: unknown): void {
    const failure = this.#failure ?? error;
    this.#forget();
    this.#calls.cancelAll();
    // One that has never done a job may be one that cannot.
    const left = this.#wasQuick === null
      ? []
      : this.#takeBack(this.#sent.splice(0));
    const lost = this.#sent.splice(0);
    this.#owner.slotEnded(this, left);
    const cause = failure === null ? undefined : { cause: failure };
    for (const { job } of lost) {
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
    }
    if (lost.length === 0 && failure !== null && !this.#ending) {
      this.#place.run(this.#report, failure);
    }
  }

  readonly #report = (error: unknown): void =>
    this.#kernel.report({
      message:
        "A worker was ended, between two jobs, by an error that nothing caught",
      error,
    });

  #firstChanged(): void {
    const first = this.#sent[0];
    if (first === undefined) return this.#worker.hold(false);
    this.#since = hostTimers.now();
    this.#kernel = first.job.kernel;
    this.#place = first.job.place;
  }

  /** Takes back what it can; what the worker has begun stays with it. */
  #takeBack(sent: Sent[]): Job[] {
    const back: Job[] = [];
    for (const each of sent) {
      const { job, number } = each;
      if (job.isRepeatable && claim(this.#shared, number)) back.push(job);
      else this.#sent.push(each);
    }
    return back;
  }

  /** The job that was told is over, or its worker is. */
  #forget(): void {
    this.#told = null;
    this.#isGraceOver = false;
    if (this.#grace === null) return;
    hostTimers.clearTimer(this.#grace);
    this.#grace = null;
  }
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error &&
    (error as { code?: unknown }).code === "ERR_WORKER_OUT_OF_MEMORY";
}
