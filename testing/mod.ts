/**
 * For tests, yours and ours: time that is a variable.
 *
 * ```ts
 * import { getRunningLoop, sleep } from "@asyncio/asyncio";
 * import { runVirtual } from "@asyncio/asyncio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * await runVirtual(async () => {
 *   await sleep(60_000);
 *   assertEquals(getRunningLoop().time(), 60_000);
 * });
 * ```
 *
 * {@linkcode runVirtual} runs a test with a clock that jumps to the next timer;
 * {@linkcode VirtualClock} is that clock, to be moved by hand if you like.
 *
 * {@linkcode exploreSchedules} runs one again and again, with its tasks in ever
 * another order; {@linkcode exploreCancellations} does with a task cancelled at
 * ever another point.
 *
 * {@linkcode memoryStreamPair} connects a client and a handler without a socket.
 *
 * {@linkcode simulate} runs a program of several hosts on a network of its own.
 *
 * @module
 */

export type { Interruption } from "./_interruptions.ts";
export type { Leftovers } from "./_leftovers.ts";
export type { ScheduleStrategy } from "./_strategies.ts";
export {
  exploreCancellations,
  type ExploreCancellationsOptions,
} from "./explore_cancellations.ts";
export {
  type Exploration,
  exploreSchedules,
  type ExploreSchedulesOptions,
} from "./explore_schedules.ts";
export {
  type MemoryStream,
  type MemoryStreamOptions,
  memoryStreamPair,
} from "./memory_stream_pair.ts";
export { runVirtual, type RunVirtualOptions } from "./run_virtual.ts";
export { simulate, type SimulateOptions } from "./simulate.ts";
export type { SimulatedLinkOptions } from "./simulated_link_options.ts";
export type {
  SimulatedCrashOptions,
  SimulatedHostOptions,
  Simulation,
} from "./simulation.ts";
export { VirtualClock, type VirtualClockOptions } from "./virtual_clock.ts";
