import { LONGEST_HOST_TIMER_MS } from "../../_internal/constants.ts";
import { nodeProcess } from "../shared/node_process.ts";
import {
  exitSoon,
  hasForeignNodeListener,
  isListenable,
  markOwn,
} from "../shared/signal_listeners.ts";
import { signalName, signalNumber } from "../shared/signal_names.ts";
import type { HostSignals } from "../types/signals.ts";

/**
 * A program that waits for a signal only goes on, on Deno as in Python. On Node
 * a listener does not keep it alive, so a timer does.
 */
let alive: ReturnType<typeof setInterval> | undefined;
const keepers = new Set<() => void>();

/** Signals on Node. */
export const signals: HostSignals = {
  addSignalListener(signal, listener, { keepsAlive }) {
    markOwn(listener);
    nodeProcess().on(signal, listener);
    if (!keepsAlive) return;
    if (keepers.size === 0) {
      alive = setInterval(() => {}, LONGEST_HOST_TIMER_MS);
    }
    keepers.add(listener);
  },
  removeSignalListener(signal, listener) {
    nodeProcess().removeListener(signal, listener);
    if (keepers.delete(listener) && keepers.size === 0) clearInterval(alive);
  },
  hasSignalListener: hasForeignNodeListener,
  canListen: isListenable,
  signalNumber,
  signalName,
  raise(signal) {
    const process = nodeProcess();
    process.kill(process.pid, signal);
    exitSoon(signal, (status) => process.exit(status));
  },
};
