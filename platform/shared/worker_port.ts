/** The port between a worker and the thread that started it. */
import type { HostWorkerSide } from "../types/threads.ts";
import { builtin } from "./builtin.ts";
import { nodeProcess } from "./node_process.ts";
import { host } from "./unfaked.ts";

type MessagePort = import("node:worker_threads").MessagePort;
type TransferList = Parameters<MessagePort["postMessage"]>[1];

/** Deno takes a shorter way if there is no list. */
export function post(
  port: Pick<MessagePort, "postMessage">,
  message: unknown,
  transfer: readonly object[],
): void {
  if (transfer.length === 0) port.postMessage(message);
  else port.postMessage(message, transfer as TransferList);
}

/** The worker's end, but for what a host does its own way. */
export function threadSide(
  rest: Pick<
    HostWorkerSide,
    "onMessage" | "onUncaught" | "jobBegins" | "jobEnded"
  >,
): HostWorkerSide {
  const port = parentPort();
  // A job may have closed it: then no result can be sent, and no job comes.
  listenForGood("close", () => nodeProcess().exit(1));
  // A job may put another function in its place.
  const own = { postMessage: port.postMessage.bind(port) };
  return {
    data: builtin("node:worker_threads").workerData,
    post: (message, transfer) => post(own, message, transfer),
    afterTurn: (callback) => void host.setImmediate(callback),
    ...rest,
  };
}

/** Listens to the port, also after a job has removed all of its listeners. */
export function listenForGood(
  event: "close" | "message",
  listener: (value: unknown) => void,
): void {
  const port = parentPort();
  const { removeAllListeners } = port;
  port.on(event, listener);
  port.removeAllListeners = (...events) => {
    removeAllListeners.apply(port, events);
    // It does nothing if the listener is there.
    return port.on(event, listener);
  };
}

export function parentPort(): MessagePort {
  return builtin("node:worker_threads").parentPort as MessagePort;
}
