import { workerProcesses as denoWorkerProcesses } from "./deno/worker_processes.ts";
import { workerProcesses as nodeWorkerProcesses } from "./node/worker_processes.ts";
import { isDeno, isWorkerd } from "./runtime.ts";
import type { HostWorkerProcesses } from "./types/worker_processes.ts";
import { workerProcesses as workerdWorkerProcesses } from "./workerd/worker_processes.ts";

/** Worker processes and their supervisor. */
export const hostWorkerProcesses: HostWorkerProcesses = isDeno
  ? denoWorkerProcesses
  : isWorkerd
  ? workerdWorkerProcesses
  : nodeWorkerProcesses;
