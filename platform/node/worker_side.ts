import { nodeProcess } from "../shared/node_process.ts";
import { listenForGood, threadSide } from "../shared/worker_port.ts";
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
  return threadSide({
    onMessage: (callback) => listenForGood("message", callback),
    // An unhandled rejection comes this way, too.
    onUncaught: (callback) =>
      nodeProcess().on("uncaughtException", (error) => callback(error)),
    // Node itself ends a worker that is out of memory.
    jobBegins() {},
    jobEnded() {},
  });
}
