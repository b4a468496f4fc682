import { supervisorBy } from "../node/supervisor.ts";
import type { HostSupervisor } from "../types/worker_processes.ts";
import { hostProcess } from "./process.ts";

/** The supervisor of this process, if it is a worker of Deno's. */
export function supervisor(): HostSupervisor | null {
  return supervisorBy(hostProcess.env);
}
