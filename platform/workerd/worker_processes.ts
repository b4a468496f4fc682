import { WORKER_PROCESSES } from "../limits.ts";
import type { HostWorkerProcesses } from "../types/worker_processes.ts";
import { rejects } from "./refusals.ts";

/** Worker processes, which are programs. */
export const workerProcesses: HostWorkerProcesses = {
  processors: 1,
  scriptOf: (url) => url.href,
  start: rejects(WORKER_PROCESSES, "start a worker process"),
  closeSharedSockets() {},
};
