/**
 * What a signal does to `run`: the first one cancels the main task, the second
 * one ends the program, wherever between the start and the closed loop it comes.
 *
 * ```text
 *   SIGINT --> main is cancelled --> the rest is, the loop is closed
 *                                      |- SIGINT:  KeyboardInterrupt
 *                                      `- another: the program ends by it
 * ```
 *
 * If there is a limit to that way and it is over, the program ends at once.
 */
import {
  LONGEST_HOST_TIMER_MS,
  SIGINT_EXIT_STATUS,
} from "../_internal/constants.ts";
import { show } from "../_internal/show.ts";
import { isCancelledError, KeyboardInterrupt } from "../errors.ts";
import { filterRejections } from "../loop/rejections.ts";
import { checkSignal, isHandled } from "../loop/signals.ts";
import type { Task } from "../loop/task.ts";
import { hostProcess } from "../platform/process.ts";
import { hostSignals } from "../platform/signals.ts";
import { hostTimers } from "../platform/timers.ts";
import type { SignalName } from "../platform/types/signals.ts";

/** Of all runs that have not ended. */
const interrupts = new Set<Interrupt>();

/** What the program is to end by, as soon as no run listens to it any more. */
let ending: SignalName | null = null;

/** The signals that `run` hears if nothing else is said. */
export function defaultSignals(): SignalName[] {
  const ends: SignalName[] = ["SIGINT", "SIGTERM"];
  return ends.filter((signal) => hostSignals.canListen(signal));
}

export function checkSignals(action: string, signals: unknown): SignalName[] {
  if (!Array.isArray(signals)) {
    throw new TypeError(
      `Cannot ${action} as 'signals' must be an array of names: received ${
        show(signals)
      }`,
    );
  }
  return signals.map((signal, index) => {
    checkSignal(action, `signals[${index}]`, signal);
    return signal;
  });
}

/** How long a program that was told to end may take for it. */
export interface Grace {
  readonly ms: number;
  /** The tasks that are still there, for who wants to know the cause. */
  left(): Iterable<Task<unknown>>;
}

const ENDLESS: Grace = { ms: Infinity, left: () => [] };

/** How many of the tasks that are left are named. */
const NAMED_TASKS = 10;

export class Interrupt {
  readonly #listeners = new Map<SignalName, () => void>();
  /** What the first signal cancels; `null` once that has ended. */
  #task: Task<unknown> | null = null;
  #first: SignalName | null = null;
  /** Whether the end is the signal's, and nobody else's. */
  #isCause = false;
  readonly #grace: Grace;
  #timer: unknown = null;

  constructor(signals: Iterable<SignalName>, grace: Grace = ENDLESS) {
    this.#grace = grace;
    for (const signal of new Set(signals)) {
      // A handler that the program has set itself is left alone.
      if (hostSignals.hasSignalListener(signal)) continue;
      const listener = () => this.#hear(signal);
      hostSignals.addSignalListener(signal, listener, { keepsAlive: false });
      this.#listeners.set(signal, listener);
    }
    interrupts.add(this);
  }

  /** The task that the first signal is to cancel. */
  set task(task: Task<unknown> | null) {
    this.#task = task;
  }

  /** Whether a signal, and nothing else, cancelled the task. */
  isCause(): boolean {
    if (!this.#isCause && this.#first !== null) {
      this.#isCause = this.#task?.uncancel() === 0;
    }
    return this.#isCause;
  }

  /**
   * Runs `fn` to its end, and lets the signal that came meanwhile have its
   * effect only then. What went wrong besides is not hidden by it.
   */
  async during<T>(fn: () => Promise<T>): Promise<T> {
    let cause: unknown;
    try {
      const value = await fn();
      if (!this.#isCause) return value;
    } catch (error) {
      if (!this.#isCause || !isCancelledError(error)) throw error;
      cause = error;
    } finally {
      this.#stop();
    }
    if (this.#first !== "SIGINT") return await endBy(this.#first!);
    filterRejections();
    throw new KeyboardInterrupt(undefined, { cause });
  }

  #hear(signal: SignalName): void {
    // One that the program has set meanwhile has taken its place.
    if (isHandled(signal) || hostSignals.hasSignalListener(signal)) return;
    if (this.#first !== null) return endAtOnce(signal);
    this.#first = signal;
    this.#limit(signal);
    // Where main has ended all the rest ends as it is.
    if (this.#task?.cancel(`Interrupted by ${signal}`) !== true) {
      this.#isCause = true;
    }
  }

  #limit(signal: SignalName): void {
    const { ms } = this.#grace;
    if (ms === Infinity) return;
    this.#timer = hostTimers.setBackgroundTimer(() => {
      hostProcess.writeError(this.#tooLate(signal));
      endAtOnce(signal);
    }, Math.min(ms, LONGEST_HOST_TIMER_MS));
  }

  #tooLate(signal: SignalName): string {
    const tasks = [...this.#grace.left()].reverse();
    const named = tasks.slice(0, NAMED_TASKS).map(String);
    const others = tasks.length - named.length;
    if (others > 0) named.push(`and ${others} more`);
    return [
      `The clean-up after ${signal} took longer than ${this.#grace.ms} ms: the program ends without it`,
      ...named,
    ].join("\n  ");
  }

  #stop(): void {
    if (this.#timer !== null) hostTimers.clearTimer(this.#timer);
    this.deafen();
    interrupts.delete(this);
    if (ending !== null) endIfUnheard(ending);
  }

  /** Listens to nothing any more. */
  deafen(): void {
    for (const [signal, listener] of this.#listeners) {
      hostSignals.removeSignalListener(signal, listener);
    }
    this.#listeners.clear();
  }

  hears(signal: SignalName): boolean {
    return this.#listeners.has(signal);
  }
}

/**
 * Ends the program as a signal does to one that does not listen. What waits for
 * that never goes on; other runs that heard it come to their end before.
 */
function endBy(signal: SignalName): Promise<never> {
  ending = signal;
  endIfUnheard(signal);
  return new Promise(() => {});
}

function endIfUnheard(signal: SignalName): void {
  for (const each of interrupts) if (each.hears(signal)) return;
  hostSignals.raise(signal);
}

function endAtOnce(signal: SignalName): void {
  if (signal === "SIGINT") hostProcess.exit(SIGINT_EXIT_STATUS);
  for (const each of interrupts) each.deafen();
  hostSignals.raise(signal);
}
