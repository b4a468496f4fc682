import { builtin } from "../builtin.ts";
import { nodeProcess } from "../node_process.ts";
import { startThread, threadSide, workerEntry } from "../worker_threads.ts";
import type { HostWorkers, HostWorkerSide } from "../worker_types.ts";

/** Worker threads on Node. */
export const threads: { readonly workers: HostWorkers } = {
  workers: {
    parallelism: () => builtin("node:os").availableParallelism(),
    startWorker: (data, listener) => startThread(workerEntry(), data, listener),
  },
};

/** The thread that started this one. */
export function workerSide(): HostWorkerSide {
  // An unhandled rejection comes this way, too.
  return threadSide((callback) =>
    nodeProcess().on("uncaughtException", (error) => callback(error))
  );
}
