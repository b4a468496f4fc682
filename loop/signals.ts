import { show } from "../_internal/show.ts";
import { capturePlace } from "../platform/async_storage.ts";
import { can, refusal, SIGNALS } from "../platform/limits.ts";
import { hostSignals } from "../platform/signals.ts";
import type { SignalName } from "../platform/types/signals.ts";
import { ReadyCallback } from "./handle.ts";
import { callbackScope, runIn } from "./entered.ts";
import type { Kernel } from "./kernel.ts";

/** How many listeners of this library have taken the place of `run`'s. */
const taken = new Map<SignalName, number>();

/** Whether a loop's handler, or a worker's, has taken the place of `run`'s. */
export function isHandled(signal: SignalName): boolean {
  return (taken.get(signal) ?? 0) > 0;
}

/** Listens to a signal in the place of `run`, which then leaves it alone. */
export function takeSignal(
  signal: SignalName,
  listener: () => void,
  options: { keepsAlive: boolean },
): void {
  hostSignals.addSignalListener(signal, listener, options);
  taken.set(signal, (taken.get(signal) ?? 0) + 1);
}

/** Gives a signal back that was taken with this listener. */
export function leaveSignal(signal: SignalName, listener: () => void): void {
  hostSignals.removeSignalListener(signal, listener);
  taken.set(signal, taken.get(signal)! - 1);
}

/** The name of a signal that a program can hear. */
export function checkSignal(
  action: string,
  name: string,
  value: unknown,
): asserts value is SignalName {
  if (hostSignals.canListen(value)) return;
  if (!can(SIGNALS)) {
    throw refusal(SIGNALS, `${action} with '${name}'`);
  }
  throw new TypeError(
    `Cannot ${action} as '${name}' must be the name of a signal that a program can listen to, such as "SIGTERM": received ${
      show(value)
    }`,
  );
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
    checkSignal("add a signal handler", "signal", signal);
    // The host calls its listener in whatever async context; each call of the
    // callback gets a copy of the present one.
    const scope = callbackScope(kernel);
    const place = runIn(scope, capturePlace);
    const push = () =>
      kernel.pushCode(
        new ReadyCallback(kernel, callback, args, undefined),
        true,
      );
    const listener = () => place.run(push);
    takeSignal(signal, listener, { keepsAlive: true });
    this.remove(signal);
    this.#listeners.set(signal, listener);
  }

  remove(signal: SignalName): boolean {
    checkSignal("remove a signal handler", "signal", signal);
    const listener = this.#listeners.get(signal);
    if (listener === undefined) return false;
    leaveSignal(signal, listener);
    return this.#listeners.delete(signal);
  }

  clear(): void {
    for (const signal of [...this.#listeners.keys()]) this.remove(signal);
  }
}
