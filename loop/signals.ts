import { platform, type SignalName } from "../platform/mod.ts";
import { ReadyCallback } from "./handle.ts";
import { runIn } from "./current.ts";
import type { Kernel } from "./kernel.ts";

/** How many loops have a handler for a signal. */
const handlers = new Map<SignalName, number>();

/** Whether some loop has a handler for `signal`. */
export function isHandled(signal: SignalName): boolean {
  return (handlers.get(signal) ?? 0) > 0;
}

function count(signal: SignalName, difference: number): void {
  handlers.set(signal, (handlers.get(signal) ?? 0) + difference);
}

/** The signal handlers of one loop. */
export class SignalHandlers {
  readonly #kernel: Kernel;
  readonly #listeners = new Map<SignalName, () => void>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  set(
    signal: SignalName,
    callback: (...args: never[]) => unknown,
    args: readonly unknown[],
  ): void {
    const kernel = this.#kernel;
    // The host's listener has no async context of ours: it enters the loop's.
    const listener = () =>
      runIn(
        kernel.root,
        () =>
          kernel.pushCode(
            new ReadyCallback(kernel, callback, args, undefined),
            true,
          ),
        null,
        null,
      );
    platform.addSignalListener(signal, listener, { keepsAlive: true });
    this.remove(signal);
    this.#listeners.set(signal, listener);
    count(signal, 1);
  }

  remove(signal: SignalName): boolean {
    const listener = this.#listeners.get(signal);
    if (listener === undefined) return false;
    platform.removeSignalListener(signal, listener);
    count(signal, -1);
    return this.#listeners.delete(signal);
  }

  clear(): void {
    for (const signal of [...this.#listeners.keys()]) this.remove(signal);
  }
}
