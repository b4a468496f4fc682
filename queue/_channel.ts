/** What the ends of a channel share. */
import { forCaller } from "../_internal/caller_frame.ts";
import {
  BrokenResourceError,
  ClosedResourceError,
  EndOfChannel,
} from "../errors.ts";
import { currentScope } from "../loop/current.ts";
import { titleOf } from "../loop/named.ts";
import { interruption } from "../loop/scope.ts";
import { WaitQueue } from "../loop/wait_queue.ts";
import { Inbox, type Owner, type Source } from "./_inbox.ts";

/** What {@linkcode SendChannel.statistics} gives. */
export interface ChannelStatistics {
  /** How many items have been sent and not received. */
  readonly size: number;
  /** How many of them it holds at the most; 0 where each is handed over. */
  readonly maxSize: number;
  /** How many ends to send with are open. */
  readonly sendChannels: number;
  /** How many ends to receive with are open. */
  readonly receiveChannels: number;
  /** How many tasks wait to send. */
  readonly senders: number;
  /** How many tasks wait to receive. */
  readonly receivers: number;
}

/** One end of a channel. */
export class End implements Owner {
  isClosed = false;
  waits = 0;
  readonly #face: object;

  /** @param face What users have of it, for messages. */
  constructor(face: object) {
    this.#face = face;
  }

  toString(): string {
    return `${this.#face}`;
  }
}

/** What a wait to send brings. */
interface Sending<T> {
  readonly item: T;
  readonly end: End;
}

/**
 * A channel. If it holds items, a sender that was granted room adds its item
 * in its turn, as in a queue. If it holds none, the turn is the receiver's:
 * it takes the item from the first sender that waits, which is told in the turn
 * behind. Until then the sender has its item, and may leave with it; the receiver
 * then waits on.
 */
export class Channel<T> implements Source<T> {
  readonly #maxSize: number;
  readonly #inbox: Inbox<T, End>;
  readonly #senders: WaitQueue<void, Sending<T>>;
  #sendEnds = 0;
  #receiveEnds = 0;

  constructor(maxSize: number) {
    this.#maxSize = maxSize;
    this.#inbox = new Inbox("ReceiveChannel.receive", this);
    this.#senders = new WaitQueue("SendChannel.send", {
      owner: this,
      take: ({ brought: { item, end } }) => {
        end.waits--;
        this.#inbox.push(item);
      },
      takeBack: ({ brought: { end } }) => {
        end.waits--;
        this.freed();
      },
      left: ({ brought: { end } }) => {
        end.waits--;
        this.#inbox.recede();
      },
    });
  }

  // -- sending --------------------------------------------------------------

  openSend(): void {
    this.#sendEnds++;
  }

  send(end: End, item: T): Promise<void> {
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    const refusal = this.#refusal(end);
    if (refusal !== null) return Promise.reject(refusal);
    if (this.#hasRoom()) {
      this.#inbox.push(item);
      return scope.kernel.succeed(scope, undefined);
    }
    const { size } = this.#senders;
    const sent = this.#senders.wait(scope, { item, end });
    // It may be refused, in another loop.
    end.waits += this.#senders.size - size;
    this.#inbox.offer();
    return sent;
  }

  trySend(end: End, item: T): boolean {
    const refusal = this.#refusal(end);
    if (refusal !== null) throw refusal;
    // Where nothing is held, to hand it over is to one who waits for it.
    const isTaken = this.#maxSize === 0
      ? this.#inbox.waiting > 0
      : this.#hasRoom();
    if (isTaken) this.#inbox.push(item);
    return isTaken;
  }

  /** An end to send with is closed. */
  closeSend(end: End): void {
    end.isClosed = true;
    if (end.waits > 0) {
      this.#senders.failWhere(
        (brought) => brought.end === end,
        () => forCaller(closedError("send an item", end)),
      );
      this.#inbox.recede();
      this.freed();
    }
    if (--this.#sendEnds > 0) return;
    this.#inbox.end(() => forCaller(this.#endError(end)));
  }

  #refusal(end: End): Error | null {
    if (end.isClosed) return closedError("send an item", end);
    return this.#receiveEnds === 0 ? this.#brokenError(end) : null;
  }

  // -- receiving ------------------------------------------------------------

  openReceive(): void {
    this.#receiveEnds++;
  }

  receive(end: End): Promise<T> {
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    if (end.isClosed) {
      return Promise.reject(closedError("receive an item", end));
    }
    const inbox = this.#inbox;
    if (inbox.isReady) return scope.kernel.succeed(scope, inbox.shift());
    if (this.#sendEnds === 0) return Promise.reject(this.#endError(end));
    return inbox.wait(scope, end);
  }

  tryReceive(end: End): T | null {
    if (end.isClosed) throw closedError("receive an item", end);
    if (this.#inbox.hasItem) return this.#inbox.shift();
    if (this.#sendEnds === 0) throw this.#endError(end);
    return null;
  }

  /** An end to receive with is closed. */
  closeReceive(end: End): void {
    end.isClosed = true;
    this.#inbox.fail(
      end,
      () => forCaller(closedError("receive an item", end)),
    );
    if (--this.#receiveEnds > 0) return;
    this.#inbox.clear();
    const brokenError = () => forCaller(this.#brokenError(end));
    this.#senders.failGranted(brokenError);
    this.#senders.failAll(brokenError);
  }

  // -- between the two ------------------------------------------------------

  get outside(): number {
    return this.#maxSize === 0 ? this.#senders.size : 0;
  }

  fetch(): T {
    const { item, end } = this.#senders.commitFirst(undefined);
    end.waits--;
    return item;
  }

  freed(): void {
    while (this.#senders.first !== null && this.#hasRoom()) {
      this.#senders.settleFirst(undefined);
    }
  }

  statistics(): ChannelStatistics {
    return Object.freeze({
      size: this.#inbox.size,
      maxSize: this.#maxSize,
      sendChannels: this.#sendEnds,
      receiveChannels: this.#receiveEnds,
      senders: this.#senders.size,
      receivers: this.#inbox.waiting,
    });
  }

  describe(name: string, isClosed: boolean): string {
    const { size, maxSize, senders, receivers } = this.statistics();
    const parts = [`${titleOf(this, name)} size=${size} maxSize=${maxSize}`];
    if (senders > 0) parts.push(`senders=${senders}`);
    if (receivers > 0) parts.push(`receivers=${receivers}`);
    if (isClosed) parts.push("closed");
    return `<${parts.join(" ")}>`;
  }

  toString(): string {
    return this.describe(this[Symbol.toStringTag], false);
  }

  get [Symbol.toStringTag](): string {
    return "Channel";
  }

  #hasRoom(): boolean {
    return this.#inbox.held + this.#senders.grantedSize < this.#maxSize;
  }

  #endError(end: End): EndOfChannel {
    return new EndOfChannel(
      `Cannot receive an item as every end that sends is closed: received a call on ${end}`,
    );
  }

  #brokenError(end: End): BrokenResourceError {
    return new BrokenResourceError(
      `Cannot send an item as every end that receives is closed: received a call on ${end}`,
    );
  }
}

export function closedError(
  action: string,
  closed: object,
): ClosedResourceError {
  return new ClosedResourceError(
    `Cannot ${action} as it is closed: received a call on ${closed}`,
  );
}
