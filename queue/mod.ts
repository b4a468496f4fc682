/**
 * Queues: passing items from tasks that make them to tasks that use them, in
 * order of arrival, of priority, or the newest first. Channels, which have two
 * ends to close, and broadcasts, which give each item to all.
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
 * - Jobs for workers, counted to the end: {@linkcode Queue}.
 * - From senders to receivers, each of which may leave: {@linkcode openChannel}.
 * - To everybody who listens: {@linkcode Broadcast}.
 *
 * @module
 */

export {
  Broadcast,
  type BroadcastOptions,
  type BroadcastOverflow,
  type BroadcastStatistics,
} from "./broadcast.ts";
export type { ChannelStatistics } from "./_channel.ts";
export { LifoQueue } from "./lifo_queue.ts";
export { openChannel } from "./open_channel.ts";
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
export { ReceiveChannel } from "./receive_channel.ts";
export { SendChannel } from "./send_channel.ts";
export { Subscription } from "./subscription.ts";
