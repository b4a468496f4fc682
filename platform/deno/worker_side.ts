import { threadSide } from "../shared/worker_port.ts";
import type { HostWorkerSide } from "../types/threads.ts";
import { MemoryWatch } from "./memory_watch.ts";

/** The thread that started this one. */
export function workerSide(): HostWorkerSide {
  let tell: (error: unknown) => void = () => {};
  const watch = new MemoryWatch((error) => tell(error));
  return threadSide({
    onUncaught(callback) {
      tell = callback;
      // Deno prints what it handles itself.
      globalThis.addEventListener("error", (event) => {
        event.preventDefault();
        callback(event.error);
      });
      globalThis.addEventListener("unhandledrejection", (event) => {
        event.preventDefault();
        callback(event.reason);
      });
    },
    jobBegins: () => watch.begin(),
    jobEnded: () => watch.end(),
  });
}
