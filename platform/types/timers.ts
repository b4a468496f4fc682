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
