import { builtin } from "../builtin.ts";
import { nodeProcess } from "../node_process.ts";
import { startThread, threadSide, workerEntry } from "../worker_threads.ts";
import type { HostWorkers, HostWorkerSide } from "../worker_types.ts";

/** Worker threads on Node. */
export const threads: { readonly workers: HostWorkers } = {
  workers: {
    parallelism: () => builtin("node:os").availableParallelism(),
    startWorker: (data, limits, listener) =>
      startThread(workerEntry(), data, limits, listener),
  },
};

/** The thread that started this one. */
export function workerSide(): HostWorkerSide {
  // An unhandled rejection comes this way, too.
  return threadSide({
    onUncaught: (callback) =>
      nodeProcess().on("uncaughtException", (error) => callback(error)),
    // Node itself ends a worker that is out of memory.
    jobBegins() {},
    jobEnded() {},
  });
}
