import { host } from "../shared/unfaked.ts";
import type { HostTimers } from "../types/timers.ts";

const { setTimeout, clearTimeout, setImmediate } = host;

/** Time and turns of Node's event loop. */
export const timers: HostTimers = {
  now: host.now,
  setTimer: (callback, ms) => setTimeout(callback, ms),
  clearTimer: (timer) => clearTimeout(timer as number),
  setBackgroundTimer(callback, ms) {
    const timer: unknown = setTimeout(callback, ms);
    (timer as { unref(): void }).unref();
    return timer;
  },
  setImmediate: (callback) => setImmediate(callback),
  // Node's queueMicrotask makes a resource each time, which costs more.
  queueMicrotask: (callback) => void microtask.then(callback),
};

const microtask = Promise.resolve();
