import type { HostTimers } from "../types.ts";

/** Time and turns of Deno's event loop. */
export const timers: HostTimers = {
  now: () => performance.now(),
  setTimer: (callback, ms) => setTimeout(callback, ms),
  clearTimer: (timer) => clearTimeout(timer as number),
  setBackgroundTimer(callback, ms) {
    const timer = setTimeout(callback, ms);
    Deno.unrefTimer(timer as unknown as number);
    return timer;
  },
  setImmediate: (callback) => setImmediate(callback),
  queueMicrotask,
};
