import { workerProcessesBy } from "../node/worker_processes.ts";
import { SEAT } from "../supervisor.ts";
import type { HostWorkerProcesses } from "../types/worker_processes.ts";

/** With it, workers may listen on one port. */
const SHARE_PORTS = "--unstable-net";

const ALL_REGEXP = /^(?:-A|--allow-all|--allow-env|-E)$/;

const PERMISSIONS = [
  "env",
  "ffi",
  "import",
  "net",
  "read",
  "run",
  "sys",
  "write",
] as const;

/**
 * What this program may do in whole, its workers may, too. What it may do in
 * part only cannot be asked for.
 */
function ownPermissions(): string[] {
  const granted = PERMISSIONS.filter((name) =>
    Deno.permissions.querySync({ name }).state === "granted"
  );
  return granted.length === PERMISSIONS.length
    ? ["--allow-all"]
    : granted.map((name) => `--allow-${name}`);
}

function flagsOf(asked: readonly string[] | null): readonly string[] {
  const flags = asked ?? ownPermissions();
  return [
    "run",
    ...(flags.includes(SHARE_PORTS) ? [] : [SHARE_PORTS]),
    ...(flags.some((flag) => ALL_REGEXP.test(flag))
      ? []
      : [`--allow-env=${SEAT}`]),
    ...flags,
  ];
}

/** Worker processes on Deno. */
export const workerProcesses: HostWorkerProcesses = workerProcessesBy(flagsOf);
