import { supervisor as denoSupervisor } from "./deno/supervisor.ts";
import { supervisor as nodeSupervisor } from "./node/supervisor.ts";
import { isDeno } from "./runtime.ts";
import type { HostSupervisor } from "./types/worker_processes.ts";

/** The supervisor of this process, where it is a worker. */
export const hostSupervisor: () => HostSupervisor | null = isDeno
  ? denoSupervisor
  : nodeSupervisor;
