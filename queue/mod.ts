/**
 * Queues: passing items from tasks that make them to tasks that use them, in
 * order of arrival, of priority, or the newest first.
 *
 * ```ts
 * import { Queue } from "@asyncio/asyncio/queue";
 * import { assertEquals } from "@std/assert";
 *
 * const queue = new Queue<string>({ maxSize: 10 });
 * await queue.put("item");
 * assertEquals(await queue.get(), "item");
 * ```
 *
 * With `maxSize` the quick wait for the slow. `shutdown()` ends every
 * `for await (const item of queue)`; `taskDone()` and `join()` tell when all
 * work is done.
 *
 * @module
 */

export { LifoQueue } from "./lifo_queue.ts";
export {
  type Comparable,
  PriorityQueue,
  type PriorityQueueOptions,
  type PriorityQueueOverflow,
} from "./priority_queue.ts";
export {
  Queue,
  type QueueOptions,
  type QueueOverflow,
  type QueueStatistics,
  type ShutdownOptions,
} from "./queue.ts";
