/**
 * Items, and those who wait for them, first come, first served: one end of a
 * channel, or a subscription.
 *
 * As in a queue, an item is reserved for who waits from the moment it is there,
 * and taken in that wait's turn. Invariants:
 * - there are at least as many items as there are granted waits;
 * - while a wait was granted nothing, every item is reserved.
 */
import { RingBuffer } from "../_internal/ring_buffer.ts";
import type { Scope } from "../loop/scope.ts";
import { WaitQueue } from "../loop/wait_queue.ts";

/** Where the items of an inbox come from. */
export interface Source<T> {
  /** How many items wait outside, each with who sends it. */
  readonly outside: number;
  /** Takes the first of them. */
  fetch(): T;
  /** An item has left the inbox. */
  freed(): void;
}

/** Whose wait it is, for when that is closed. */
export interface Owner {
  /** How many of those that wait are its own: mostly none when it is closed. */
  waits: number;
}

export class Inbox<T, O extends Owner> {
  readonly #items = new RingBuffer<T>();
  readonly #source: Source<T>;
  readonly #receivers: WaitQueue<T, O>;

  /**
   * @param what What waits here, for messages.
   * @param owner What has the inbox, and may have a name.
   */
  constructor(what: string, source: Source<T>, owner: object = source) {
    this.#source = source;
    this.#receivers = new WaitQueue(what, {
      owner,
      take: ({ brought }) => {
        brought.waits--;
        return this.#take();
      },
      takeBack: ({ brought }) => {
        brought.waits--;
        this.offer();
      },
      left: ({ brought }) => void brought.waits--,
    });
  }

  /** How many items take up room in it. */
  get held(): number {
    return this.#items.size;
  }

  /** How many of them are reserved for nobody. */
  get size(): number {
    return Math.max(0, this.#items.size - this.#receivers.grantedSize);
  }

  /** How many wait and were granted nothing. */
  get waiting(): number {
    return this.#receivers.size;
  }

  /** Whether an item could be taken at once, wherever it is. */
  get hasItem(): boolean {
    return this.#available > this.#receivers.grantedSize;
  }

  get #available(): number {
    return this.#items.size + this.#source.outside;
  }

  push(item: T): void {
    this.#items.push(item);
    this.offer();
  }

  /** Puts an item in the place of the oldest one. */
  replaceOldest(item: T): void {
    this.#items.shift();
    this.#items.push(item);
  }

  /** Whether an item that is in it is reserved for nobody. */
  get isReady(): boolean {
    return this.#items.size > this.#receivers.grantedSize;
  }

  /** Takes an item; only if there is one that is reserved for nobody. */
  shift(): T {
    return this.isReady ? this.#shift() : this.#source.fetch();
  }

  wait(scope: Scope, owner: O): Promise<T> {
    const { size } = this.#receivers;
    const item = this.#receivers.wait(scope, owner);
    // It may be refused, in another loop.
    owner.waits += this.#receivers.size - size;
    this.offer();
    return item;
  }

  /** Reserves an item for the next that waits, if there are both. */
  offer(): void {
    while (this.#receivers.first !== null && this.hasItem) {
      this.#receivers.settleFirst(undefined as T);
    }
  }

  /** An item outside has gone: it is reserved for nobody any more. */
  recede(): void {
    while (this.#receivers.grantedSize > this.#available) {
      this.#receivers.ungrantLast();
    }
  }

  /** Fails those that wait for one owner; what was theirs goes to the others. */
  fail(owner: O, makeError: () => unknown): void {
    if (owner.waits === 0) return;
    owner.waits = 0;
    this.#receivers.failWhere((each) => each === owner, makeError);
    this.offer();
  }

  /** Fails those for whom nothing is there. */
  end(makeError: () => unknown): void {
    this.#receivers.failAll(makeError);
  }

  clear(): void {
    this.#items.clear();
  }

  /** The turn of a wait that was granted an item. */
  #take(): T {
    return this.#items.size > 0 ? this.#shift() : this.#source.fetch();
  }

  #shift(): T {
    const item = this.#items.shift() as T;
    this.#source.freed();
    return item;
  }
}
