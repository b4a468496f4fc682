import { checkCount } from "../_internal/check.ts";
import { nameByOptions, type NamedOptions } from "../loop/named.ts";
import { Channel } from "./_channel.ts";
import { ReceiveChannel } from "./receive_channel.ts";
import { SendChannel } from "./send_channel.ts";

/**
 * Opens a channel: an end that sends and one that receives, each to be closed
 * by whoever has it. Equivalent of trio's `open_memory_channel`.
 *
 * | `maxSize`   | `send` waits                               |
 * | ----------- | ------------------------------------------ |
 * | 0           | until a receiver has taken the item        |
 * | n           | while n items are there                    |
 * | `Infinity`  | never                                      |
 *
 * It has what a {@linkcode Queue} lacks: an end on each side. When the last end
 * that sends is closed, receivers get what is left and `for await` ends; when
 * the last one that receives is, `send` throws, so nobody works for nothing. It
 * lacks what a queue has: `taskDone` and `join`, priorities, a look at its size
 * from anywhere.
 *
 * Both sides are fair, first come, first served. A cancelled `send` has not
 * sent, a cancelled `receive` has taken nothing.
 *
 * @typeParam T What it passes on.
 *
 * @example A sender that waits until its item was taken
 * ```ts
 * import { createTask, openChannel } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const [send, receive] = openChannel<number>();
 * const log: string[] = [];
 * const sender = createTask(async () => {
 *   using _ = send;
 *   await send.send(1);
 *   log.push("1 was taken");
 * });
 * using inbox = receive;
 * for await (const item of inbox) log.push(`received ${item}`);
 * await sender;
 * assertEquals(log, ["received 1", "1 was taken"]);
 * ```
 *
 * @param maxSize How many items it holds before `send` waits.
 * @param options Its name.
 * @returns The end that sends and the end that receives.
 * @throws {TypeError} When `maxSize` is not a number, or `options` is not an
 * object or has an unknown name.
 * @throws {RangeError} When `maxSize` is negative or not an integer.
 */
export function openChannel<T = unknown>(
  maxSize: number = 0,
  options?: NamedOptions,
): [send: SendChannel<T>, receive: ReceiveChannel<T>] {
  checkCount("open a channel", "maxSize", maxSize, 0);
  const channel = new Channel<T>(maxSize);
  if (options !== undefined) nameByOptions("open a channel", channel, options);
  return [new SendChannel(channel), new ReceiveChannel(channel)];
}
