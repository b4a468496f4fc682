/** What a worker and the thread that started it say to each other. */
import type { DescribedError } from "./_errors.ts";

/** What a worker is started with. */
export interface WorkerData {
  /**
   * Numbers of jobs: memory, as a worker that computes or waits reads no
   * messages.
   */
  readonly shared: Int32Array;
  /**
   * What the functions of PROVIDED are called in the program, by that order: a
   * bundler may have shortened their names, in the source of jobs as well.
   */
  readonly names: readonly string[];
  /**
   * What marks the worker's messages as its own: jobs can post as well, and what
   * they post means nothing here. The worker takes it away before the first job.
   */
  key?: number;
}

/** Where in the shared memory the job is that was cancelled last. */
export const CANCELLED = 0;
/** Where the job is that was sent last, or is about to be. */
export const SENT = 1;
/** Where the job is that was done last: its message is on the way, or has come. */
export const DONE = 2;
/** Where the jobs are from which the worker may take; see _offers.ts. */
export const CELLS_FROM = 3;

/** Run a job: a function by its source, or one that a module exports. */
export interface JobMessage {
  readonly kind: "job";
  readonly number: number;
  readonly source: string | null;
  /** The URL of the module; used if there is no source. */
  readonly module: string;
  /** The name of the function; of a source it may be empty. */
  readonly name: string;
  readonly args: readonly unknown[];
  readonly variables: ReadonlyMap<string, unknown> | null;
}

/** The job was cancelled. */
export interface CancelMessage {
  readonly kind: "cancel";
  readonly number: number;
  readonly error: DescribedError;
}

/** How a call of the worker has ended. */
export interface ReturnMessage {
  readonly kind: "return";
  readonly call: number;
  readonly value?: unknown;
  readonly error?: DescribedError;
}

export type MessageToWorker = JobMessage | CancelMessage | ReturnMessage;

/** How the job has ended. */
export interface DoneMessage {
  readonly kind: "done";
  readonly value?: unknown;
  readonly error?: DescribedError;
}

/** Call what the main thread has exposed. */
export interface CallMessage {
  readonly kind: "call";
  readonly call: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

/** The call was cancelled. */
export interface CancelCallMessage {
  readonly kind: "cancelCall";
  readonly call: number;
  readonly error: DescribedError;
}

/** Something threw where nothing catches. */
export interface CrashMessage {
  readonly kind: "crash";
  readonly error: DescribedError;
}

export type MessageFromWorker =
  | DoneMessage
  | CallMessage
  | CancelCallMessage
  | CrashMessage;

/** A message as it is sent. */
export type Marked<M> = M & { key?: number };

/** Whether a message is one of the worker's own. */
export function isMarked(
  message: unknown,
  key: number,
): message is MessageFromWorker {
  return typeof message === "object" && message !== null &&
    (message as Marked<object>).key === key;
}
