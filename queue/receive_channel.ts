import { refusedNew } from "../_internal/made_by.ts";
import { inspectByToString } from "../_internal/inspect.ts";
import {
  Channel,
  type ChannelStatistics,
  closedError,
  End,
} from "./_channel.ts";
import { iterate } from "./_iterate.ts";

/**
 * The end of a channel that receives; {@linkcode openChannel} makes one.
 * Several tasks may receive from one end, or from ends of their own: each item
 * goes to one of them, first come, first served. Equivalent of trio's
 * `MemoryReceiveChannel`.
 *
 * It is closed with {@linkcode ReceiveChannel.close}, or by the end of its block
 * (`using`); when the last one is, senders get a
 * {@linkcode BrokenResourceError}, and what nobody has received is thrown away.
 *
 * An item is reserved for a task that waits as soon as it is there, and taken in
 * that task's turn. If the task is cancelled before, it has taken nothing: the
 * item goes to the next, or stays where it was.
 *
 * `receive()` gives a promise, and a promise takes the place of a promise in it:
 * of a channel that carries promises, it waits for the item itself. Wrap such
 * items: `send({ promise })`.
 *
 * | operation                  | cost                       |
 * | -------------------------- | -------------------------- |
 * | receive, tryReceive, clone | O(1)                       |
 * | cancel                     | O(1)                       |
 * | close                      | O(n) for n tasks that wait |
 *
 * @typeParam T What it passes on.
 *
 * @example Until all senders have closed
 * ```ts
 * import { createTask, openChannel } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const [send, receive] = openChannel<number>();
 * createTask(async () => {
 *   using _ = send;
 *   for (let i = 0; i < 3; i++) await send.send(i);
 * });
 * const items: number[] = [];
 * for await (const item of receive) items.push(item);
 * assertEquals(items, [0, 1, 2]);
 * ```
 */
export class ReceiveChannel<T = unknown>
  implements AsyncIterable<T, undefined>, Disposable {
  readonly #channel: Channel<T>;
  readonly #end = new End(this);

  /**
   * Made by `openChannel` and `clone`.
   *
   * @internal
   * @ignore
   */
  constructor(channel: Channel<T>) {
    if (!(channel instanceof Channel)) {
      throw refusedNew(
        "a ReceiveChannel",
        "it is one end of two",
        "openChannel()",
      );
    }
    this.#channel = channel;
    channel.openReceive();
  }

  /** Whether this end was closed. */
  get isClosed(): boolean {
    return this.#end.isClosed;
  }

  /**
   * Receives the next item, waiting for one if there is none.
   *
   * @returns The item. If it is a promise or another thenable, what that comes
   * to.
   * @throws {EndOfChannel} When all that send are closed and nothing is left,
   * also while it waits.
   * @throws {ClosedResourceError} When this end is closed, also while it waits.
   * @throws {CancelledError} When the task is cancelled; no item is then taken.
   * @throws {InvalidStateError} When it has to wait, and the channel has been
   * waited for in another loop.
   */
  receive(): Promise<T> {
    return this.#channel.receive(this.#end);
  }

  /**
   * Receives the next item if that needs no waiting. In a channel that
   * carries `null`, use {@linkcode ReceiveChannel.statistics} to tell an item
   * from none.
   *
   * @returns The item, as it is; `null` if there is none.
   * @throws {EndOfChannel} When all that send are closed and nothing is left.
   * @throws {ClosedResourceError} When this end is closed.
   */
  tryReceive(): T | null {
    return this.#channel.tryReceive(this.#end);
  }

  /**
   * Another end of the same channel that receives, to be closed by itself.
   *
   * @returns The end.
   * @throws {ClosedResourceError} When this one is closed.
   */
  clone(): ReceiveChannel<T> {
    if (this.isClosed) throw closedError("clone an end of a channel", this);
    return new ReceiveChannel(this.#channel);
  }

  /**
   * Closes this end. Whoever waits in it gets a {@linkcode ClosedResourceError}.
   * When the last one is closed, senders get a {@linkcode BrokenResourceError},
   * and the items in the channel are thrown away. Closed again, it does nothing.
   */
  close(): void {
    if (!this.isClosed) this.#channel.closeReceive(this.#end);
  }

  /**
   * The items as they come, until all that send are closed and nothing is left.
   * Leaving the loop leaves the channel open, and several loops may share it:
   * each item goes to one of them.
   *
   * @example To the end
   * ```ts
   * import { openChannel } from "@asyncio/asyncio";
   * import { assertEquals } from "@std/assert";
   *
   * const [send, receive] = openChannel<string>(2);
   * await send.send("a");
   * await send.send("b");
   * send.close();
   * assertEquals(await Array.fromAsync(receive), ["a", "b"]);
   * ```
   *
   * @returns An iterator. A task that is cancelled while it waits for the next
   * item takes none.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T, undefined> {
    return iterate(() => this.receive());
  }

  /**
   * The state of the channel, for logs and tests.
   *
   * @returns A frozen object; not a live view.
   */
  statistics(): ChannelStatistics {
    return this.#channel.statistics();
  }

  /**
   * The end and the state of its channel.
   *
   * @returns For example `<ReceiveChannel size=2 maxSize=10 senders=1>`.
   */
  toString(): string {
    return this.#channel.describe("ReceiveChannel", this.isClosed);
  }

  /** What `Object.prototype.toString` says. */
  get [Symbol.toStringTag](): string {
    return "ReceiveChannel";
  }

  /** Closes this end: for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  static {
    inspectByToString(this.prototype);
  }
}
