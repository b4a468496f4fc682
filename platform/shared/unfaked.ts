/**
 * The host's clock and turns, taken as the library loads. What fakes time in
 * tests (Vitest, Jest, `node:test`, `FakeTime`) replaces the globals later on,
 * and a loop that waited for a faked turn would never have it.
 */
interface HostFunctions {
  readonly setTimeout: typeof setTimeout;
  readonly clearTimeout: typeof clearTimeout;
  readonly setImmediate: typeof setImmediate;
  readonly clearImmediate: typeof clearImmediate;
  readonly queueMicrotask: typeof queueMicrotask;
  readonly now: () => number;
}

export const host: HostFunctions = {
  setTimeout,
  clearTimeout,
  setImmediate,
  clearImmediate,
  queueMicrotask,
  // Bound, as fakes replace it in the object.
  now: performance.now.bind(performance),
};
