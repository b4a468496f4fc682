import { show } from "../_internal/show.ts";
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

/** Signals that end or stop a program, whatever it wants. */
const UNSTOPPABLE: ReadonlySet<unknown> = new Set(["SIGKILL", "SIGSTOP"]);

/** Refuses what is no signal, and one that no program can handle. */
function checkSignal(action: string, signal: unknown): void {
  if (
    typeof signal !== "string" ||
    platform.children.signalNumber(signal) === undefined
  ) {
    throw new TypeError(
      `Cannot ${action} as 'signal' must be the name of a signal of this system, such as "SIGTERM": received ${
        show(signal)
      }`,
    );
  }
  if (UNSTOPPABLE.has(signal)) {
    throw new TypeError(
      `Cannot ${action} as no program can handle the signal: received ${
        show(signal)
      }`,
    );
  }
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
    const action = "add a signal handler";
    checkSignal(action, signal);
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
    try {
      platform.addSignalListener(signal, listener, { keepsAlive: true });
    } catch (cause) {
      throw new TypeError(
        `Cannot ${action} as the runtime keeps the signal for itself: received ${
          show(signal)
        }`,
        { cause },
      );
    }
    this.remove(signal);
    this.#listeners.set(signal, listener);
    count(signal, 1);
  }

  remove(signal: SignalName): boolean {
    checkSignal("remove a signal handler", signal);
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
