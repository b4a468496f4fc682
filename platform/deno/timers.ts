import { isDeno } from "../runtime.ts";
import { host } from "../shared/unfaked.ts";
import type { HostTimers } from "../types/timers.ts";

const { setTimeout, clearTimeout, setImmediate, queueMicrotask } = host;

/**
 * What the functions make. The `mock.timers` of Deno's `node:test` fakes the
 * functions also for who has taken them before, but not these. This file is
 * loaded elsewhere, too, and workerd lets nobody set a timer while it loads.
 */
interface HostTimeout {
  close(): void;
}

const Timeout = classOf<
  new (
    callback: () => void,
    ms: number,
    args: readonly [],
    repeats: boolean,
    isRef: boolean,
  ) => HostTimeout
>(setTimeout, clearTimeout);
const Immediate = classOf<new (callback: () => void) => object>(
  setImmediate,
  host.clearImmediate,
);

function classOf<C>(
  set: (callback: () => void) => unknown,
  clear: (handle: never) => void,
): C {
  if (!isDeno) return Object as unknown as C;
  const handle = set(() => {});
  clear(handle as never);
  return (handle as object).constructor as C;
}

function setTimer(callback: () => void, ms: number): unknown {
  return globalThis.setTimeout === setTimeout
    ? setTimeout(callback, ms)
    : new Timeout(callback, ms, [], false, true);
}

/** Time and turns of Deno's event loop. */
export const timers: HostTimers = {
  now: host.now,
  setTimer,
  clearTimer(timer) {
    if (globalThis.clearTimeout === clearTimeout) clearTimeout(timer as number);
    else (timer as HostTimeout).close();
  },
  setBackgroundTimer(callback, ms) {
    const timer = setTimer(callback, ms);
    Deno.unrefTimer(timer as number);
    return timer;
  },
  setImmediate: (callback) =>
    globalThis.setImmediate === setImmediate
      ? setImmediate(callback)
      : new Immediate(callback),
  queueMicrotask: (callback) => queueMicrotask(callback),
};
