import { nodeProcess } from "../shared/node_process.ts";
import { threadSide } from "../shared/worker_port.ts";
import type { HostWorkerSide } from "../types/threads.ts";

const SCRIPT_GLOBALS = [
  "require",
  "module",
  "exports",
  "__filename",
  "__dirname",
];

/** The thread that started this one. */
export function workerSide(): HostWorkerSide {
  // A script in a string has them, and no module; they would stand in for the
  // caller's own.
  for (const name of SCRIPT_GLOBALS) {
    delete (globalThis as Record<string, unknown>)[name];
  }
  // An unhandled rejection comes this way, too.
  return threadSide({
    onUncaught: (callback) =>
      nodeProcess().on("uncaughtException", (error) => callback(error)),
    // Node itself ends a worker that is out of memory.
    jobBegins() {},
    jobEnded() {},
  });
}
