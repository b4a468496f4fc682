import { isDeno } from "../runtime.ts";
import { nodeProcess } from "../shared/node_process.ts";
import {
  exitSoon,
  hasForeignNodeListener,
  isForeign,
  isListenable,
  markOwn,
} from "../shared/signal_listeners.ts";
import { signalName, signalNumber } from "../shared/signal_names.ts";
import type { HostSignals, SignalName } from "../types/signals.ts";

type Listener = () => void;

/** All that Deno listens to on Windows. */
const OF_WINDOWS: ReadonlySet<string> = new Set([
  "SIGBREAK",
  "SIGHUP",
  "SIGINT",
]);

/** Listeners that were seen on their way to Deno, by signal. */
const seen = new Map<string, Set<Listener>>();

/**
 * Deno does not tell who listens, so both functions are watched from when the
 * library is loaded. What was added before, and what goes past `Deno`'s own
 * properties, is not seen; listeners of Node's `process` always are.
 */
function watchListeners(): void {
  const { addSignalListener, removeSignalListener } = Deno;
  const watched = {
    addSignalListener(signal: Deno.Signal, listener: Listener): void {
      addSignalListener(signal, listener);
      const known = seen.get(signal) ?? new Set();
      seen.set(signal, known.add(listener));
    },
    removeSignalListener(signal: Deno.Signal, listener: Listener): void {
      removeSignalListener(signal, listener);
      seen.get(signal)?.delete(listener);
    },
  };
  for (const [name, value] of Object.entries(watched)) {
    const old = Object.getOwnPropertyDescriptor(Deno, name);
    // Whoever has locked it down keeps it.
    if (old?.configurable !== true) return;
    Object.defineProperty(Deno, name, { ...old, value });
  }
}

// deno-lint-ignore asyncio/no-import-effects -- what is added before is not seen
if (isDeno) watchListeners();

function hasSignalListener(signal: SignalName): boolean {
  // Deno passes on what is added to Node's `process`.
  const ofNode = nodeProcess().listeners(signal);
  for (const listener of seen.get(signal) ?? []) {
    if (isForeign(listener) && !ofNode.includes(listener)) return true;
  }
  return hasForeignNodeListener(signal);
}

/** Signals on Deno. */
export const signals: HostSignals = {
  addSignalListener(signal, listener) {
    markOwn(listener);
    Deno.addSignalListener(signal as Deno.Signal, listener);
  },
  removeSignalListener: (signal, listener) =>
    Deno.removeSignalListener(signal as Deno.Signal, listener),
  hasSignalListener,
  canListen: (signal): signal is SignalName =>
    Deno.build.os === "windows"
      ? OF_WINDOWS.has(signal as string)
      : isListenable(signal),
  signalNumber,
  signalName,
  raise(signal) {
    Deno.kill(Deno.pid, signal as Deno.Signal);
    exitSoon(signal, Deno.exit);
  },
};
