/**
 * Waits for a signal that `run` hears as well, and takes to be heard by nobody
 * else. Imported before the library, which on Deno sees who listens from when it
 * is loaded.
 */
import process from "node:process";

type Listener = () => void;

interface SignalHost {
  addSignalListener(signal: string, listener: Listener): void;
  removeSignalListener(signal: string, listener: Listener): void;
}

const { addSignalListener, removeSignalListener } = hostOfSignals();

function hostOfSignals(): SignalHost {
  const host = (globalThis as { Deno?: SignalHost }).Deno;
  if (host !== undefined) {
    const { addSignalListener, removeSignalListener } = host;
    return { addSignalListener, removeSignalListener };
  }
  return {
    addSignalListener(signal, listener) {
      process.on(signal, listener);
      // As the package signal-exit: it only tidies up, if it is the only one.
      Object.defineProperty(globalThis, Symbol.for("signal-exit emitter"), {
        value: { count: 1 },
        configurable: true,
      });
    },
    removeSignalListener: (signal, listener) =>
      process.removeListener(signal, listener),
  };
}

/** The next signal of these; those who listened before have heard it, too. */
export function nextSignal(...signals: readonly string[]): Promise<void> {
  // A listener does not keep a program alive.
  const alive = setInterval(() => {}, 60_000);
  return new Promise((resolve) => {
    const listener = () => {
      clearInterval(alive);
      for (const signal of signals) removeSignalListener(signal, listener);
      resolve();
    };
    for (const signal of signals) addSignalListener(signal, listener);
  });
}
