/**
 * What tasks share without getting into each other's way: locks, events, values,
 * conditions, semaphores, limiters and barriers. All are fair, and a cancelled task loses
 * nothing for the others.
 *
 * ```ts
 * import { Lock } from "@asyncio/asyncio/sync";
 * import { assert, assertFalse } from "@std/assert";
 *
 * const lock = new Lock();
 * {
 *   using _ = await lock.acquire();
 *   assert(lock.locked());
 * }
 * assertFalse(lock.locked());
 * ```
 *
 * - One at a time: {@linkcode Lock}. Some at a time: {@linkcode Semaphore},
 *   or {@linkcode CapacityLimiter}, which knows who they are and can be resized.
 * - A number in a span of time: {@linkcode RateLimiter}.
 * - Until something has happened: {@linkcode Event}.
 * - Until a value is as it should be: {@linkcode AsyncValue}.
 * - Until something is true that others change: {@linkcode Condition}.
 * - Until all have come: {@linkcode Barrier}.
 *
 * A lock and a semaphore are held for a function by `with(fn)`, or to the end of
 * a block by `using`.
 *
 * @module
 */

export { AsyncValue, type AsyncValueStatistics } from "./async_value.ts";
export { Barrier, type BarrierStatistics } from "./barrier.ts";
export {
  CapacityLimiter,
  type CapacityLimiterStatistics,
} from "./capacity_limiter.ts";
export { Condition, type ConditionStatistics } from "./condition.ts";
export { Event, type EventStatistics } from "./event.ts";
export type { Hold } from "./hold.ts";
export { Lock, type LockStatistics } from "./lock.ts";
export { RateLimiter, type RateLimiterStatistics } from "./rate_limiter.ts";
export {
  BoundedSemaphore,
  Semaphore,
  type SemaphoreStatistics,
} from "./semaphore.ts";
