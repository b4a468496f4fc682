import { refusedNew } from "../_internal/made_by.ts";
import { inspectByToString } from "../_internal/inspect.ts";
import {
  Channel,
  type ChannelStatistics,
  closedError,
  End,
} from "./_channel.ts";

/**
 * The end of a channel that sends; {@linkcode openChannel} makes one. It is
 * closed with {@linkcode SendChannel.close}, or by the end of its block
 * (`using`); when the last one is, the receivers come to their end. Equivalent
 * of trio's `MemorySendChannel`.
 *
 * Each task that sends can have an end of its own, a
 * {@linkcode SendChannel.clone}, to close when it is done: then nobody has to
 * know who is the last.
 *
 * | operation            | cost                                        |
 * | -------------------- | ------------------------------------------- |
 * | send, trySend, clone | O(1)                                        |
 * | cancel               | O(1)                                        |
 * | close                | O(n) for n tasks that wait, also the last's |
 *
 * @typeParam T What it passes on.
 *
 * @example Several senders, each with an end of its own
 * ```ts
 * import { openChannel, taskGroup } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const [send, receive] = openChannel<string>();
 * const got = await taskGroup(async (group) => {
 *   for (const name of ["a", "b"]) {
 *     const own = send.clone();
 *     group.createTask(async () => {
 *       using _ = own;
 *       await own.send(name);
 *     });
 *   }
 *   send.close(); // the clones are what is open now
 *   return await Array.fromAsync(receive);
 * });
 * assertEquals(got.sort(), ["a", "b"]);
 * ```
 */
export class SendChannel<T = unknown> implements Disposable {
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
        "a SendChannel",
        "it is one end of two",
        "openChannel()",
      );
    }
    this.#channel = channel;
    channel.openSend();
  }

  /** Whether this end was closed. */
  get isClosed(): boolean {
    return this.#end.isClosed;
  }

  /**
   * Sends an item: waits for room in the channel or, if it holds nothing,
   * until somebody has received the item.
   *
   * @param item The item.
   * @returns When the item is in the channel; in one that holds nothing, when a
   * receiver has taken it.
   * @throws {ClosedResourceError} When this end is closed, also while it waits.
   * @throws {BrokenResourceError} When all that receive are closed, also while
   * it waits.
   * @throws {CancelledError} When the task is cancelled; the item was then not
   * sent.
   * @throws {InvalidStateError} When it has to wait, and the channel has been
   * waited for in another loop.
   */
  send(item: T): Promise<void> {
    return this.#channel.send(this.#end, item);
  }

  /**
   * Sends an item if that needs no waiting: there is room or, in a channel
   * that holds nothing, somebody waits to receive. If that task is cancelled in
   * the same moment, the item stays for the next one.
   *
   * @param item The item.
   * @returns Whether it was sent.
   * @throws {ClosedResourceError} When this end is closed.
   * @throws {BrokenResourceError} When all that receive are closed.
   */
  trySend(item: T): boolean {
    return this.#channel.trySend(this.#end, item);
  }

  /**
   * Another end of the same channel that sends, to be closed by itself.
   *
   * @returns The end.
   * @throws {ClosedResourceError} When this one is closed.
   */
  clone(): SendChannel<T> {
    if (this.isClosed) throw closedError("clone an end of a channel", this);
    return new SendChannel(this.#channel);
  }

  /**
   * Closes this end. Whoever waits in it gets a {@linkcode ClosedResourceError}.
   * When the last one is closed, receivers get what is left and then come to
   * their end. Closed again, it does nothing.
   */
  close(): void {
    if (!this.isClosed) this.#channel.closeSend(this.#end);
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
   * @returns For example `<SendChannel size=2 maxSize=10 receivers=1>`.
   */
  toString(): string {
    return this.#channel.describe("SendChannel", this.isClosed);
  }

  /** What `Object.prototype.toString` says. */
  get [Symbol.toStringTag](): string {
    return "SendChannel";
  }

  /** Closes this end: for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  static {
    inspectByToString(this.prototype);
  }
}
