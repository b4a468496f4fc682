/**
 * Queues on NATS JetStream, which any number of machines share: an item is leased
 * to the task that gets it, and given back if that fails, is cancelled, or dies
 * with its process.
 *
 * ```ts
 * import {
 *   type JetStreamConnection,
 *   openJetStreamQueue,
 * } from "@asyncio/asyncio/jetstream";
 *
 * // With what `connect()` of `@nats-io/transport-node` gives.
 * async function work(connection: JetStreamConnection): Promise<void> {
 *   const queue = await openJetStreamQueue<string>(connection, "images");
 *   await queue.put("resize cat.png");
 *   for await (const job of queue) console.log(job);
 * }
 * ```
 *
 * The root module does not export these: import them from here. They need the
 * package `@nats-io/jetstream`, which is loaded when a queue is opened.
 *
 * @module
 */

export type { Codec } from "../durable/codec.ts";
export type {
  DeadLetter,
  DeadLetters,
  DurablePutOptions,
  DurableQueue,
  DurableStatistics,
  GiveBackOptions,
} from "../durable/durable_queue.ts";
export type {
  JetStreamConnection,
  JetStreamMessage,
  JetStreamSubscription,
} from "./connection.ts";
export {
  type JetStreamQueueOptions,
  openJetStreamQueue,
} from "./open_jetstream_queue.ts";
