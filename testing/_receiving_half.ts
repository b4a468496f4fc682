/**
 * What one end of a connection without a host holds for its receiver: bytes, the
 * end, or why it broke; and the order in which the receiver hears of them.
 */
import { systemError } from "../platform/system_errors.ts";
import type { HostReceiver } from "../platform/types/net.ts";
import { ByteBuffer } from "../streams/byte_buffer.ts";

/** Whose half it is. */
export interface ReceivingEnd<F extends string> {
  /** Whether something that was written is still to be sent. */
  isSending(): boolean;
  /** That many bytes are about to be given to the receiver. */
  taken(count: number): void;
  /** What a failure comes from, for the `cause` of its error. */
  reason(failure: F): string;
  close(): void;
}

export class ReceivingHalf<F extends string> {
  readonly incoming: ByteBuffer = new ByteBuffer();
  receiver: HostReceiver | null = null;
  isPaused: boolean = false;
  /** Why the connection is broken. */
  failure: F | null = null;
  readonly #owner: ReceivingEnd<F>;
  #end: "none" | "come" | "told" = "none";

  constructor(owner: ReceivingEnd<F>) {
    this.#owner = owner;
  }

  /** Whether the other end has said that no more comes. */
  get hasEnded(): boolean {
    return this.#end !== "none";
  }

  /** The other end says that no more comes. */
  end(): void {
    if (this.#end === "none") this.#end = "come";
  }

  /** Whether there is something to tell the receiver. */
  hasNews(): boolean {
    const { receiver, failure, incoming } = this;
    if (receiver === null) return false;
    if (failure !== null && this.#owner.isSending()) return true;
    if (this.isPaused) return false;
    return incoming.size > 0 || this.#end === "come" ||
      (failure !== null && failure !== "EPIPE");
  }

  /** Tells the receiver the next thing there is to tell. */
  deliver(): void {
    const { receiver, failure, incoming } = this;
    if (receiver === null) return;
    // A write hears of it at once, a read once it has what came before.
    if (failure !== null && this.#owner.isSending()) return this.#lose(failure);
    if (this.isPaused) return;
    if (incoming.size > 0) {
      const bytes = incoming.take(incoming.size);
      this.#owner.taken(bytes.length);
      receiver.data(bytes);
    } else if (failure !== null && failure !== "EPIPE") this.#lose(failure);
    else if (this.#end === "come") {
      this.#end = "told";
      receiver.end();
    }
  }

  #lose(failure: F): void {
    const { receiver } = this;
    const cause = new Error(this.#owner.reason(failure));
    const error = systemError(failure, "use the connection", cause);
    this.#owner.close();
    receiver?.lost(error);
  }
}
