import { refusedNew } from "../_internal/made_by.ts";
import { forCaller } from "../_internal/caller_frame.ts";
import { inspectByToString } from "../_internal/inspect.ts";
import { EndOfChannel, InternalError } from "../errors.ts";
import { currentScope } from "../loop/current.ts";
import { titleOf } from "../loop/named.ts";
import { interruption } from "../loop/scope.ts";
import { closedError } from "./_channel.ts";
import { Inbox, type Owner } from "./_inbox.ts";
import { iterate } from "./_iterate.ts";

/** What a subscription knows of its broadcast. */
export interface Hub<T> {
  readonly capacity: number;
  /** A subscriber has no room any more. */
  filled(): void;
  /** It has room again, or has gone. */
  emptied(): void;
  left(subscription: Subscription<T>): void;
}

/** What a broadcast does with its subscribers. */
interface SubscriptionInternals {
  deliver<T>(subscription: Subscription<T>, item: T): void;
  end<T>(subscription: Subscription<T>): void;
}

let internals: SubscriptionInternals;
export { internals as subscriptionInternals };

/**
 * The inbox of one subscriber of a {@linkcode Broadcast}, which its
 * {@linkcode Broadcast.subscribe} makes. It is left with
 * {@linkcode Subscription.close}, or by the end of its block (`using`).
 *
 * Several tasks may receive from one subscription: each item goes to one of
 * them, first come, first served.
 *
 * @typeParam T What it passes on.
 *
 * @example One subscriber that leaves, and one that stays
 * ```ts
 * import { Broadcast } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const hub = new Broadcast<number>({ capacity: 1 });
 * const visitor = hub.subscribe();
 * using inbox = hub.subscribe();
 * await hub.publish(1);
 * visitor.close(); // its inbox is full: publish(2) would wait for it
 * assertEquals(await inbox.receive(), 1);
 * await hub.publish(2);
 * assertEquals(inbox.tryReceive(), 2);
 * ```
 */
export class Subscription<T = unknown>
  implements AsyncIterable<T, undefined>, Disposable {
  readonly #hub: Hub<T>;
  readonly #inbox: Inbox<T, Owner>;
  /** Whoever receives from it, receives for it. */
  readonly #owner: Owner = { waits: 0 };
  #dropped = 0;
  #isClosed = false;
  /** The broadcast was closed. */
  #hasEnded = false;

  /**
   * Made by `subscribe`.
   *
   * @internal
   * @ignore
   */
  constructor(hub: Hub<T>) {
    if (typeof hub?.left !== "function") {
      throw refusedNew(
        "a Subscription",
        "it belongs to a broadcast",
        "its subscribe()",
      );
    }
    this.#hub = hub;
    this.#inbox = new Inbox<T, Owner>("Subscription.receive", {
      // Nobody stands outside with an item: the broadcast puts it in.
      outside: 0,
      fetch: () => {
        throw new InternalError(
          "A subscription took an item that is not there",
        );
      },
      freed: () => this.#freed(),
    }, this);
  }

  /** How many items wait in it, without those reserved for tasks that wait. */
  get size(): number {
    return this.#inbox.size;
  }

  /** How many items it has lost to `overflow: "dropOldest"` so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Whether it was closed. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Receives the next item, waiting for one if there is none.
   *
   * @returns The item. If it is a promise or another thenable, what that comes
   * to.
   * @throws {EndOfChannel} When the broadcast is closed and nothing is left,
   * also while it waits.
   * @throws {ClosedResourceError} When the subscription is closed, also while it
   * waits.
   * @throws {CancelledError} When the task is cancelled; no item is then taken.
   * @throws {InvalidStateError} When it has to wait, and the subscription has
   * been waited for in another loop.
   */
  receive(): Promise<T> {
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    if (this.#isClosed) return Promise.reject(this.#closedError());
    const inbox = this.#inbox;
    if (inbox.isReady) return scope.kernel.succeed(scope, inbox.shift());
    if (this.#hasEnded) return Promise.reject(this.#endError());
    return inbox.wait(scope, this.#owner);
  }

  /**
   * Receives the next item if that needs no waiting. If `null` is an item,
   * {@linkcode Subscription.size} tells it from none.
   *
   * @returns The item, as it is; `null` if there is none.
   * @throws {EndOfChannel} When the broadcast is closed and nothing is left.
   * @throws {ClosedResourceError} When the subscription is closed.
   */
  tryReceive(): T | null {
    if (this.#isClosed) throw this.#closedError();
    if (this.#inbox.isReady) return this.#inbox.shift();
    if (this.#hasEnded) throw this.#endError();
    return null;
  }

  /**
   * Leaves the broadcast: what it holds is thrown away, nobody waits for it any
   * more, and whoever receives from it gets a {@linkcode ClosedResourceError}.
   * Closed again, it does nothing.
   */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#inbox.fail(this.#owner, () => forCaller(this.#closedError()));
    const wasFull = this.#isFull();
    this.#inbox.clear();
    this.#hub.left(this);
    if (wasFull) this.#hub.emptied();
  }

  /**
   * The items as they come, until the broadcast is closed and nothing is left.
   * Leaving the loop does not leave the broadcast: close the subscription.
   *
   * @example To the end
   * ```ts
   * import { Broadcast } from "@asyncio/asyncio";
   * import { assertEquals } from "@std/assert";
   *
   * const hub = new Broadcast<string>();
   * using inbox = hub.subscribe();
   * await hub.publish("a");
   * hub.close();
   * assertEquals(await Array.fromAsync(inbox), ["a"]);
   * ```
   *
   * @returns An iterator. A task that is cancelled while it waits for the next
   * item takes none.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T, undefined> {
    return iterate(() => this.receive());
  }

  /** Closes it: for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * The subscription and its state.
   *
   * @returns For example `<Subscription size=2 dropped=5>`.
   */
  toString(): string {
    const parts = [`${titleOf(this, "Subscription")} size=${this.size}`];
    const { waiting } = this.#inbox;
    if (waiting > 0) parts.push(`receivers=${waiting}`);
    if (this.#dropped > 0) parts.push(`dropped=${this.#dropped}`);
    if (this.#isClosed) parts.push("closed");
    else if (this.#hasEnded) parts.push("ended");
    return `<${parts.join(" ")}>`;
  }

  /** What `Object.prototype.toString` says. */
  get [Symbol.toStringTag](): string {
    return "Subscription";
  }

  /** Takes an item from the broadcast, in the place of the oldest if need be. */
  #deliver(item: T): void {
    if (this.#isFull()) {
      this.#inbox.replaceOldest(item);
      this.#dropped++;
      return;
    }
    this.#inbox.push(item);
    if (this.#isFull()) this.#hub.filled();
  }

  /** The broadcast was closed. */
  #end(): void {
    this.#hasEnded = true;
    this.#inbox.end(() => forCaller(this.#endError()));
  }

  #isFull(): boolean {
    return this.#inbox.held >= this.#hub.capacity;
  }

  /** An item was taken: at the capacity before, it is one below it now. */
  #freed(): void {
    if (this.#inbox.held === this.#hub.capacity - 1) this.#hub.emptied();
  }

  #closedError(): Error {
    return closedError("receive an item", this);
  }

  #endError(): EndOfChannel {
    return new EndOfChannel(
      `Cannot receive an item as the broadcast has ended: received a call on ${this}`,
    );
  }

  static {
    inspectByToString(this.prototype);
    internals = {
      deliver: (subscription, item) => subscription.#deliver(item),
      end: (subscription) => subscription.#end(),
    };
  }
}
