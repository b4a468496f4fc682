/**
 * Worker threads over `node:worker_threads`, which Deno has as well: its own
 * `Worker` keeps the program alive and does not tell when it has ended.
 */
import type {
  HostResourceLimits,
  HostWorker,
  HostWorkerListener,
} from "../types/threads.ts";
import { builtin } from "./builtin.ts";
import { post } from "./worker_port.ts";

type Worker = import("node:worker_threads").Worker;

/**
 * How large the young part of a heap may become if only the old part has a limit,
 * in megabytes. At the limit V8 is given 16 MB more, for the worker to be ended
 * within; one collection that moves more than that from the young part to the old
 * ends the whole process instead.
 */
const YOUNG_MB = 12;

/** What a worker starts from. */
export interface WorkerStart {
  /** Where the code is, or the code itself. */
  readonly code: URL | string;
  readonly isScript: boolean;
}

class ThreadWorker implements HostWorker {
  readonly #worker: Worker;

  constructor(
    start: WorkerStart,
    data: unknown,
    limits: HostResourceLimits | null,
    listener: HostWorkerListener,
  ) {
    const { Worker } = builtin("node:worker_threads");
    const worker = new Worker(start.code, {
      eval: start.isScript,
      workerData: data,
      ...(limits !== null && { resourceLimits: withYoung(limits) }),
    });
    this.#worker = worker;
    let failure: unknown = null;
    worker.on("message", (message) => listener.message(message));
    worker.on("messageerror", (error) => {
      failure = error;
      worker.terminate();
    });
    worker.on("error", (error) => {
      failure ??= error;
    });
    worker.on("exit", (status) => listener.ended(status, failure));
    worker.unref();
  }

  post(message: unknown, transfer: readonly object[]): void {
    post(this.#worker, message, transfer);
  }

  hold(on: boolean): void {
    if (on) this.#worker.ref();
    else this.#worker.unref();
  }

  terminate(): void {
    this.#worker.terminate();
  }
}

/** Starts a worker. */
export function startThread(
  start: WorkerStart,
  data: unknown,
  limits: HostResourceLimits | null,
  listener: HostWorkerListener,
): HostWorker {
  return new ThreadWorker(start, data, limits, listener);
}

function withYoung(limits: HostResourceLimits): HostResourceLimits {
  return limits.maxOldGenerationSizeMb === undefined
    ? limits
    : { maxYoungGenerationSizeMb: YOUNG_MB, ...limits };
}
