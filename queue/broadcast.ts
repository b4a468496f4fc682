import { forCaller } from "../_internal/caller_frame.ts";
import { checkCount, checkOneOf } from "../_internal/check.ts";
import { inspectByToString } from "../_internal/inspect.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { QueueFull } from "../errors.ts";
import { currentScope } from "../loop/current.ts";
import { giveName, givenName, titleOf } from "../loop/named.ts";
import { interruption } from "../loop/scope.ts";
import { WaitQueue } from "../loop/wait_queue.ts";
import { closedError } from "./_channel.ts";
import {
  type Hub,
  Subscription,
  subscriptionInternals,
} from "./subscription.ts";

/**
 * What a {@linkcode Broadcast} does about a subscriber that has no room: waits
 * for it, drops the oldest item that it holds, or refuses the new one.
 */
export type BroadcastOverflow = "wait" | "dropOldest" | "error";

/** Options of {@linkcode Broadcast}. */
export interface BroadcastOptions {
  /**
   * How many items are held for each subscriber.
   *
   * @default {Infinity}
   */
  capacity?: number | undefined;
  /**
   * What to do about a subscriber that holds as many.
   *
   * @default {"wait"}
   */
  overflow?: BroadcastOverflow | undefined;
  /**
   * Its name, for messages and for whoever looks into the program. Need not be
   * unique.
   *
   * @default {none}
   */
  name?: string | undefined;
}

const BROADCAST_OPTIONS = new OptionNames<BroadcastOptions>(
  { capacity: true, overflow: true, name: "string" },
  { number: "capacity", string: "overflow" },
);

const OVERFLOWS: readonly BroadcastOverflow[] = ["wait", "dropOldest", "error"];

/** What {@linkcode Broadcast.statistics} gives. */
export interface BroadcastStatistics {
  /** How many subscribe to it. */
  readonly subscribers: number;
  /** How many of them have no room for another item. */
  readonly full: number;
  /** How many tasks wait to publish. */
  readonly publishers: number;
}

/**
 * Gives each item to every subscriber: all that is published from when it has
 * subscribed until it leaves. Each has an inbox of its own and goes at its own
 * pace, within `capacity`:
 *
 * | `overflow`     | where a subscriber has no room                            |
 * | -------------- | --------------------------------------------------------- |
 * | `"wait"`       | `publish` waits for the slowest                           |
 * | `"dropOldest"` | it loses its oldest item, and counts that as `dropped`    |
 * | `"error"`      | `publish` throws {@linkcode QueueFull}; nobody gets it    |
 *
 * Who does not look after its inbox holds up all the others, or fills memory: a
 * subscriber leaves with `close()`, or by the end of its block
 * (`using inbox = hub.subscribe()`). asyncio has nothing like it.
 *
 * | operation            | cost                        |
 * | -------------------- | --------------------------- |
 * | publish              | O(n) for n subscribers      |
 * | subscribe, receive   | O(1)                        |
 * | cancel               | O(1)                        |
 *
 * @typeParam T What it passes on.
 *
 * @example Every subscriber gets every item
 * ```ts
 * import { Broadcast } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const hub = new Broadcast<string>();
 * using first = hub.subscribe();
 * await hub.publish("one");
 * using second = hub.subscribe();
 * await hub.publish("two");
 * hub.close();
 * assertEquals(await Array.fromAsync(first), ["one", "two"]);
 * assertEquals(await Array.fromAsync(second), ["two"]);
 * ```
 *
 * @example A slow subscriber sees the newest items
 * ```ts
 * import { Broadcast } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const prices = new Broadcast<number>({ capacity: 2, overflow: "dropOldest" });
 * using inbox = prices.subscribe();
 * for (const price of [10, 11, 12]) await prices.publish(price);
 * assertEquals(await inbox.receive(), 11);
 * assertEquals(inbox.dropped, 1);
 * ```
 */
export class Broadcast<T = unknown> implements Disposable {
  readonly #capacity: number;
  readonly #overflow: BroadcastOverflow;
  readonly #subscribers = new Set<Subscription<T>>();
  readonly #hub: Hub<T>;
  // One that was let in keeps the others out until its turn, in which all the
  // subscribers get its item at once: so it has published to all or to none.
  readonly #publishers: WaitQueue<void, T> = new WaitQueue(
    "Broadcast.publish",
    {
      owner: this,
      take: ({ brought }) => {
        this.#deliver(brought);
        this.#letIn();
      },
      takeBack: () => this.#letIn(),
    },
  );
  /** How many subscribers have no room. */
  #full = 0;
  #isClosed = false;

  /**
   * Makes a broadcast.
   *
   * @param options How much is held for each subscriber, and what to do when
   * that is not enough.
   * @throws {TypeError} When `options` is not an object or `capacity` not a
   * number.
   * @throws {RangeError} When `capacity` is not an integer of at least 1 or
   * `Infinity`, or `overflow` none of those above.
   */
  constructor(options: BroadcastOptions = {}) {
    checkOptions("create a broadcast", options, BROADCAST_OPTIONS);
    const { capacity = Infinity, overflow = "wait", name } = options;
    checkCount("create a broadcast", "capacity", capacity, 1);
    checkOneOf("create a broadcast", "overflow", overflow, OVERFLOWS);
    this.#capacity = capacity;
    this.#overflow = overflow;
    if (name !== undefined) giveName(this, name);
    this.#hub = {
      capacity,
      filled: () => this.#full++,
      emptied: () => {
        this.#full--;
        this.#letIn();
      },
      left: (subscription) => this.#subscribers.delete(subscription),
    };
  }

  /** How many items are held for each subscriber. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Whether it was closed. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Gives an item to all that subscribe now. If there is room, all have it
   * when the call returns. With `overflow: "wait"`, it waits for room with every
   * one of them, behind those that wait already; then those that subscribe
   * meanwhile get it as well. Without subscribers the item goes nowhere.
   *
   * @param item The item.
   * @returns When all have it.
   * @throws {QueueFull} With `overflow: "error"`, when a subscriber has no room;
   * no one gets the item.
   * @throws {ClosedResourceError} When the broadcast is closed, also while it
   * waits.
   * @throws {CancelledError} When the task is cancelled; no one gets the item.
   * @throws {InvalidStateError} When it has to wait, and the broadcast has been
   * waited for in another loop.
   */
  publish(item: T): Promise<void> {
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    if (this.#isClosed) return Promise.reject(this.#closedError("publish"));
    if (!this.#mayPublish()) {
      return this.#overflow === "wait"
        ? this.#publishers.wait(scope, item)
        : Promise.reject(this.#fullError());
    }
    this.#deliver(item);
    return scope.kernel.succeed(scope, undefined);
  }

  /**
   * Subscribes: to all that is published from now on.
   *
   * @returns The subscription, to receive from and to close.
   * @throws {ClosedResourceError} When the broadcast is closed.
   */
  subscribe(): Subscription<T> {
    if (this.#isClosed) throw this.#closedError("subscribe");
    const subscription = new Subscription<T>(this.#hub);
    giveName(subscription, givenName(this));
    this.#subscribers.add(subscription);
    return subscription;
  }

  /**
   * Ends it: subscribers get what is held for them and then come to their end,
   * and whoever waits to publish gets a {@linkcode ClosedResourceError}. Closed
   * again, it does nothing.
   */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const makeError = () => forCaller(this.#closedError("publish"));
    this.#publishers.failGranted(makeError);
    this.#publishers.failAll(makeError);
    for (const each of this.#subscribers) subscriptionInternals.end(each);
    this.#subscribers.clear();
  }

  /**
   * Its state, for logs and tests.
   *
   * @returns A frozen object; not a live view.
   */
  statistics(): BroadcastStatistics {
    return Object.freeze({
      subscribers: this.#subscribers.size,
      full: this.#full,
      publishers: this.#publishers.size,
    });
  }

  /**
   * The broadcast and its state.
   *
   * @returns For example `<Broadcast subscribers=3 full=1 publishers=2>`.
   */
  toString(): string {
    const { subscribers, full, publishers } = this.statistics();
    const parts = [`${titleOf(this, "Broadcast")} subscribers=${subscribers}`];
    if (full > 0) parts.push(`full=${full}`);
    if (publishers > 0) parts.push(`publishers=${publishers}`);
    if (this.#isClosed) parts.push("closed");
    return `<${parts.join(" ")}>`;
  }

  /** What `Object.prototype.toString` says. */
  get [Symbol.toStringTag](): string {
    return "Broadcast";
  }

  /** Ends it: for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #mayPublish(): boolean {
    if (this.#overflow === "dropOldest") return true;
    const { size, grantedSize } = this.#publishers;
    return this.#full === 0 && size === 0 && grantedSize === 0;
  }

  #deliver(item: T): void {
    for (const each of this.#subscribers) {
      subscriptionInternals.deliver(each, item);
    }
  }

  /** Lets the next publisher in, if there is room everywhere. */
  #letIn(): void {
    if (this.#full === 0 && this.#publishers.grantedSize === 0) {
      this.#publishers.settleFirst(undefined);
    }
  }

  #closedError(action: "publish" | "subscribe"): Error {
    return closedError(
      action === "publish" ? "publish an item" : "subscribe to a broadcast",
      this,
    );
  }

  #fullError(): QueueFull {
    return new QueueFull(
      `Cannot publish an item as a subscriber has no room for it: received a call on ${this}`,
    );
  }

  static {
    inspectByToString(this.prototype);
  }
}
