import { builtin } from "../shared/builtin.ts";
import { parentPort, threadSide } from "../shared/worker_port.ts";
import type { HostWorkerSide } from "../types/threads.ts";
import { MemoryWatch } from "./memory_watch.ts";

/** The thread that started this one. */
export function workerSide(): HostWorkerSide {
  let tell: (error: unknown) => void = () => {};
  const watch = new MemoryWatch((error) => tell(error));
  return threadSide({
    onMessage,
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

/**
 * By the event: for a listener of `on()`, Deno looks for ports in all that a
 * message holds, each element of an array of bytes as well.
 */
function onMessage(callback: (message: unknown) => void): void {
  const port = parentPort() as unknown as EventTarget;
  port.addEventListener("message", (event) => {
    const { data, ports } = event as MessageEvent;
    if (ports.length > 0) adopt(ports);
    callback(data);
  });
}

/** Gives ports what those of `node:worker_threads` have, such as `on()`. */
function adopt(ports: readonly MessagePort[]): void {
  const { port1 } = new (builtin("node:worker_threads").MessageChannel)();
  port1.on("message", () => {});
  (port1 as unknown as EventTarget).dispatchEvent(
    new MessageEvent("message", { data: ports }),
  );
  port1.close();
}
