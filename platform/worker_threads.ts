/**
 * Worker threads over `node:worker_threads`, which Deno has as well: its own
 * `Worker` keeps the program alive and does not tell when it has ended.
 */
import { builtin } from "./builtin.ts";
import { nodeProcess } from "./node_process.ts";
import type {
  HostResourceLimits,
  HostWorker,
  HostWorkerListener,
  HostWorkerSide,
} from "./worker_types.ts";

type Worker = import("node:worker_threads").Worker;
type MessagePort = import("node:worker_threads").MessagePort;
type TransferList = Parameters<MessagePort["postMessage"]>[1];

/**
 * What a worker of this library runs. The only place that names it: the sources
 * are TypeScript, and the npm package is JavaScript.
 */
export function workerEntry(): URL {
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf("."));
  return new URL(`../threads/_worker_main${extension}`, import.meta.url);
}

/** Deno takes a shorter way where there is no list. */
function post(
  port: Pick<MessagePort, "postMessage">,
  message: unknown,
  transfer: readonly object[],
): void {
  if (transfer.length === 0) port.postMessage(message);
  else port.postMessage(message, transfer as TransferList);
}

class ThreadWorker implements HostWorker {
  readonly #worker: Worker;

  constructor(
    entry: URL,
    data: unknown,
    limits: HostResourceLimits | null,
    listener: HostWorkerListener,
  ) {
    const { Worker } = builtin("node:worker_threads");
    const worker = new Worker(entry, {
      workerData: data,
      ...(limits !== null && { resourceLimits: limits }),
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
  entry: URL,
  data: unknown,
  limits: HostResourceLimits | null,
  listener: HostWorkerListener,
): HostWorker {
  return new ThreadWorker(entry, data, limits, listener);
}

/** The worker's end, but for what a host does its own way. */
export function threadSide(
  own: Pick<HostWorkerSide, "onUncaught" | "jobBegins" | "jobEnded">,
): HostWorkerSide {
  const { parentPort, workerData } = builtin("node:worker_threads");
  const port = parentPort as MessagePort;
  // A job may have closed it: its result could not be told, nor the next begin.
  port.on("close", () => nodeProcess().exit(1));
  return {
    data: workerData,
    post: (message, transfer) => post(port, message, transfer),
    onMessage: (callback) => void port.on("message", callback),
    ...own,
  };
}
