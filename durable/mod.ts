/**
 * Queues that outlive the process: an item is leased to the task that gets it,
 * and given back if that fails, is cancelled, or dies with its process.
 *
 * ```ts
 * import { openSqliteQueue } from "@asyncio/asyncio/durable";
 * import { assertEquals } from "@std/assert";
 *
 * const path = `${await Deno.makeTempDir()}/jobs.db`;
 * const queue = await openSqliteQueue<string>(path);
 * await queue.put("job");
 * assertEquals(await queue.get(), "job");
 * await queue.taskDone();
 * await queue.close();
 * ```
 *
 * The root module does not export these: import them from here.
 *
 * @module
 */

export type { Codec } from "./codec.ts";
export type {
  DeadLetter,
  DeadLetters,
  DurablePutOptions,
  DurableQueue,
  DurableStatistics,
  GiveBackOptions,
} from "./durable_queue.ts";
export {
  openSqliteQueue,
  type SqliteQueueOptions,
} from "./open_sqlite_queue.ts";
