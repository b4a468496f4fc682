import { workerProcesses as denoWorkerProcesses } from "./deno/worker_processes.ts";
import { workerProcesses as nodeWorkerProcesses } from "./node/worker_processes.ts";
import { isDeno } from "./runtime.ts";
import type { HostWorkerProcesses } from "./types/worker_processes.ts";

/** Worker processes and their supervisor. */
export const hostWorkerProcesses: HostWorkerProcesses = isDeno
  ? denoWorkerProcesses
  : nodeWorkerProcesses;
