/** Live bytes of this process, for the rows that measure memory. */

import process from "node:process";

/** Bytes in use on the JavaScript heap and outside it, after a full collection. Needs `--expose-gc`. */
export function liveBytes(): number {
  const collect = (globalThis as { gc?: () => void }).gc;
  if (collect === undefined) {
    throw new Error("Cannot measure live bytes: run with --expose-gc");
  }
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Milliseconds since `start`, spread over `count` items, in nanoseconds each. */
export function nanosecondsEach(start: number, count: number): number {
  return (performance.now() - start) * 1e6 / count;
}

/** All bytes that this process has in memory, after a full collection: for what lies outside of the heap, as sockets do. */
export function residentBytes(): number {
  liveBytes();
  return process.memoryUsage().rss;
}
