/**
 * The one interface between the library and its host. Each runtime has an
 * adapter of the same shape, `deno/` and `node/`, with the same file names.
 */
import type { HostNet } from "./net.ts";
import type { HostChildren } from "./children.ts";
import type { HostWorkers } from "./threads.ts";
import type { HostPrefork } from "./worker_processes.ts";

/** A timer or an immediate of the host; only its own adapter looks inside. */
export type HostHandle = unknown;

/** Time and turns of the host's event loop. */
export interface HostTimers {
  /** Monotonic milliseconds. */
  now(): number;
  /** Calls back once, `ms` from now; `ms` is at most 2**31 - 1. */
  setTimer(callback: () => void, ms: number): HostHandle;
  clearTimer(timer: HostHandle): void;
  /** A timer that does not keep the program alive. */
  setBackgroundTimer(callback: () => void, ms: number): HostHandle;
  /** Calls back after the host had a turn for sockets and timers. */
  setImmediate(callback: () => void): HostHandle;
  /** Calls back as a microtask; the callback must not throw. */
  queueMicrotask(callback: () => void): void;
}

/** A signal's name, as the host knows it: `"SIGINT"`, `"SIGTERM"`, ... */
export type SignalName = `SIG${string}`;

/** Signals sent to this program. */
export interface HostSignals {
  /** `keepsAlive`: whether a program goes on that does nothing but listen. */
  addSignalListener(
    signal: SignalName,
    listener: () => void,
    options: { keepsAlive: boolean },
  ): void;
  removeSignalListener(signal: SignalName, listener: () => void): void;
  /** Whether someone else handles it, as far as the host can tell. */
  hasSignalListener(signal: SignalName): boolean;
  /** Whether it is the name of a signal that a program can listen to. */
  canListen(signal: unknown): signal is SignalName;
  /**
   * Ends this program as the signal does to one that does not listen to it, now
   * or within a moment. No one may listen any more.
   */
  raise(signal: SignalName): void;
}

/** The program as a whole. */
export interface HostProcess {
  /** An environment variable; `undefined` also where reading is not allowed. */
  env(name: string): string | undefined;
  exit(status: number): never;
  /** A line on stdout. */
  writeOutput(line: string): void;
  /** A line on stderr. */
  writeError(line: string): void;
  /** Called when nothing is left to do but the program has not ended. */
  onIdle(callback: () => void): void;
  /** Called when the program ends. */
  onExit(callback: () => void): void;
  /**
   * Asks `isHandled` about each rejection nobody handled before the host ends
   * the program for it; those it answers true for are let pass.
   */
  filterUnhandledRejections(isHandled: (reason: unknown) => boolean): void;
}

/** A store that travels with the code through every `await`. */
export interface AsyncStorage<T> {
  getStore(): T | undefined;
  run<A extends unknown[], R>(
    store: T,
    callback: (...args: A) => R,
    ...args: A
  ): R;
  enterWith(store: T): void;
}

/** An async context that was kept, to be gone back to. */
export interface AsyncPlace {
  run<A, B>(fn: (first: A, second: B) => void, first: A, second: B): void;
}

/** All that the library asks of its host. */
export interface Platform extends HostTimers, HostSignals, HostProcess {
  readonly name: "deno" | "node";
  readonly net: HostNet;
  readonly children: HostChildren;
  readonly workers: HostWorkers;
  readonly prefork: HostPrefork;
  createAsyncStorage<T>(): AsyncStorage<T>;
  capturePlace(): AsyncPlace;
  /** Keeps in what `fn`, which enters a store by `run()`, enters elsewhere. */
  isolate<A, B>(
    fn: (first: A, second: B) => void,
    first: A,
    second: B,
  ): void;
}
