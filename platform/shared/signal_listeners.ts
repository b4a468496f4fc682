/** Which listeners of a signal are the library's own, and which someone else's. */
import type { SignalName } from "../types/signals.ts";
import { nodeProcess } from "./node_process.ts";
import { signalNumber } from "./signal_names.ts";

type Listener = (...args: never[]) => void;

/** No program hears of these, or goes on after it has. */
const UNHEARD: ReadonlySet<string> = new Set([
  "SIGKILL",
  "SIGSTOP",
  "SIGFPE",
  "SIGILL",
  "SIGSEGV",
]);

/**
 * How long a signal may take to end the program, in milliseconds: Deno leaves
 * its default action to another thread.
 */
const DEFAULT_ACTION_MS = 1000;

const own = new WeakSet<Listener>();

/** Marks a listener as the library's own. */
export function markOwn(listener: Listener): void {
  own.add(listener);
}

/** Whether a listener is someone else's. */
export function isForeign(listener: Listener): boolean {
  return !own.has(listener);
}

/** Whether a program of this system can listen to a signal. */
export function isListenable(signal: unknown): signal is SignalName {
  return typeof signal === "string" && !UNHEARD.has(signal) &&
    signalNumber(signal) !== undefined;
}

/** Ends the program where a signal that it was sent does not. */
export function exitSoon(
  signal: SignalName,
  exit: (status: number) => void,
): void {
  const status = 128 + (signalNumber(signal) ?? 0);
  setTimeout(() => exit(status), DEFAULT_ACTION_MS);
}

/**
 * How many listeners there are that only tidy up: those of `signal-exit`, which
 * half of npm's command-line tools use, do nothing where anyone else
 * listens. Taken for a handler, the signal would be lost between the two.
 */
function tidyingListeners(): number {
  const later = Symbol.for("signal-exit emitter");
  const emitters = [
    (globalThis as Record<symbol, unknown>)[later],
    (nodeProcess() as { __signal_exit_emitter__?: unknown })
      .__signal_exit_emitter__,
  ] as ({ count?: unknown } | undefined)[];
  let sum = 0;
  for (const emitter of emitters) sum += Number(emitter?.count ?? 0);
  return sum;
}

/** Whether someone else handles a signal with a listener of Node's `process`. */
export function hasForeignNodeListener(signal: SignalName): boolean {
  const process = nodeProcess();
  if (process.listenerCount(signal) === 0) return false;
  const foreign = process.listeners(signal).filter(isForeign);
  return foreign.length > tidyingListeners();
}
