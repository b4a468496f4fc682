import { LONGEST_HOST_TIMER_MS } from "../../_internal/constants.ts";
import { nodeProcess } from "../node_process.ts";
import type { HostSignals } from "../types.ts";

/**
 * A program that waits for a signal only goes on, on Deno as in Python. On Node
 * a listener does not keep it alive, so a timer does.
 */
let alive: ReturnType<typeof setInterval> | undefined;
let listeners = 0;

/** Signals on Node. */
export const signals: HostSignals = {
  addSignalListener(signal, listener) {
    nodeProcess().on(signal, listener);
    if (listeners++ === 0) {
      alive = setInterval(() => {}, LONGEST_HOST_TIMER_MS);
    }
  },
  removeSignalListener(signal, listener) {
    nodeProcess().removeListener(signal, listener);
    if (--listeners === 0) clearInterval(alive);
  },
  hasSignalListener: (signal) => nodeProcess().listenerCount(signal) > 0,
};
