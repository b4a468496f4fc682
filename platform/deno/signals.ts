import { nodeProcess } from "../node_process.ts";
import type { HostSignals } from "../types.ts";

/** Signals on Deno. */
export const signals: HostSignals = {
  addSignalListener: (signal, listener) =>
    Deno.addSignalListener(signal as Deno.Signal, listener),
  removeSignalListener: (signal, listener) =>
    Deno.removeSignalListener(signal as Deno.Signal, listener),
  // Deno does not tell who listens; listeners added in Node's way are known.
  hasSignalListener: (signal) => nodeProcess().listenerCount(signal) > 0,
};
