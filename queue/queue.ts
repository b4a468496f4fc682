import { forCaller } from "../_internal/caller_frame.ts";
import { checkOneOf } from "../_internal/check.ts";
import { inspectByToString } from "../_internal/inspect.ts";
import {
  checkOptions,
  type NamesOf,
  OptionNames,
} from "../_internal/options.ts";
import { RingBuffer } from "../_internal/ring_buffer.ts";
import { show } from "../_internal/show.ts";
import {
  InvalidStateError,
  QueueEmpty,
  QueueFull,
  QueueShutDown,
} from "../errors.ts";
import { currentScope } from "../loop/current.ts";
import { giveName, titleOf } from "../loop/named.ts";
import { interruption } from "../loop/scope.ts";
import { WaitQueue } from "../loop/wait_queue.ts";
import type { Store } from "./_store.ts";

/**
 * What a queue does with an item for which it has no room: lets its putter wait,
 * drops the oldest item that it holds, drops the new one, or refuses it.
 */
export type QueueOverflow = "wait" | "dropOldest" | "dropNewest" | "error";

const OVERFLOWS: readonly QueueOverflow[] = [
  "wait",
  "dropOldest",
  "dropNewest",
  "error",
];

/** Options of {@linkcode Queue}. */
export interface QueueOptions {
  /**
   * How many items it holds before `put` waits; any number at 0 or less, as in
   * asyncio.
   *
   * @default {0}
   */
  maxSize?: number | undefined;
  /**
   * What to do with an item for which there is no room. A dropped item counts as
   * done.
   *
   * @default {"wait"}
   */
  overflow?: QueueOverflow | undefined;
  /**
   * Its name, for messages and for whoever looks into the program. Need not be
   * unique.
   *
   * @default {none}
   */
  name?: string | undefined;
}

export const QUEUE_NAMES: NamesOf<QueueOptions> = {
  maxSize: true,
  overflow: true,
  name: "string",
};

const QUEUE_OPTIONS = new OptionNames<QueueOptions>(
  QUEUE_NAMES,
  { number: "maxSize", string: "overflow" },
);

/** Options of {@linkcode Queue.shutdown}. */
export interface ShutdownOptions {
  /**
   * Whether the items in the queue are thrown away.
   *
   * @default {false}
   */
  immediate?: boolean | undefined;
}

const SHUTDOWN_OPTIONS = new OptionNames<ShutdownOptions>(
  { immediate: "boolean" },
  { boolean: "immediate" },
);

/** What {@linkcode Queue.statistics} gives. */
export interface QueueStatistics {
  /** How many items are in it. */
  readonly size: number;
  /** How many it holds at the most; 0 for any number. */
  readonly maxSize: number;
  /** How many tasks wait for an item. */
  readonly getters: number;
  /** How many tasks wait for room. */
  readonly putters: number;
  /** How many items were put and not yet reported done. */
  readonly unfinished: number;
  /** Whether it was shut down. */
  readonly shutDown: boolean;
}

/** Gives a queue another store. For the classes of this folder. */
export let useStore: <T>(queue: Queue<T>, store: Store<T>) => void;

/**
 * Passes items from tasks that put to tasks that get, first in, first out.
 * With `maxSize`, those that put wait for those that get. Equivalent of
 * `asyncio.Queue`.
 *
 * It is fair both ways, first come, first served, and loses nothing: an item is
 * reserved for a task that waits as soon as it is there, and one whose getter
 * is cancelled goes to the next, or stays first in the queue.
 *
 * | operation                 | cost |
 * | ------------------------- | ---- |
 * | put, get, and the `Nowait` | O(1) |
 * | cancel                    | O(1) |
 * | shutdown                  | O(n) for n items or tasks |
 *
 * If nobody may wait, as in a callback or for a reading that is old in a
 * moment, `overflow` says what becomes of an item for which there is no room:
 *
 * | `overflow`     | `put` to a full queue                  | `putNowait` then        |
 * | -------------- | -------------------------------------- | ----------------------- |
 * | `"wait"`       | waits for room                         | throws {@linkcode QueueFull} |
 * | `"dropOldest"` | the item that was put first is dropped | the same                |
 * | `"dropNewest"` | the item is dropped                    | the same                |
 * | `"error"`      | throws {@linkcode QueueFull}           | the same                |
 *
 * `get()` gives a promise, and a promise takes the place of a promise in it: of
 * a queue that holds promises, `get()` waits for the item itself. Wrap such
 * items (`put({ promise })`), or use {@linkcode Queue.getNowait}.
 *
 * @typeParam T What it passes on.
 *
 * @example A producer and a consumer
 * ```ts
 * import { createTask, Queue } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const queue = new Queue<number>({ maxSize: 2 });
 * const producer = createTask(async () => {
 *   for (let i = 0; i < 5; i++) await queue.put(i);
 *   queue.shutdown();
 * });
 * const items: number[] = [];
 * for await (const item of queue) items.push(item);
 * await producer;
 * assertEquals(items, [0, 1, 2, 3, 4]);
 * ```
 *
 * @example The newest readings, and no waiting
 * ```ts
 * import { Queue } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const readings = new Queue<number>({ maxSize: 2, overflow: "dropOldest" });
 * for (const reading of [20.1, 20.2, 20.4]) readings.putNowait(reading);
 * assertEquals(await readings.get(), 20.2);
 * assertEquals(readings.dropped, 1);
 * ```
 */
export class Queue<T = unknown> implements AsyncIterable<T> {
  // A getter that was granted an item, and a putter that was granted room, take
  // it in their turn of the ready queue, and can be cancelled until then. So of
  // the items in the store one is reserved for each granted getter (which one
  // shows when its turn comes), and of the room one place for each granted
  // putter. Invariants:
  // - the store holds at least as many items as there are granted getters;
  // - items and granted putters together are never more than the limit;
  // - while a getter waits, every item is reserved;
  // - while a putter waits, there is no room.
  #store: Store<T> = new RingBuffer<T>();
  readonly #maxSize: number;
  /** The same, but infinity for any number. */
  readonly #limit: number;
  readonly #overflow: QueueOverflow;
  readonly #getters: WaitQueue<T> = new WaitQueue("Queue.get", {
    owner: this,
    take: () => this.#collect(),
    takeBack: () => this.#offerItem(),
  });
  readonly #putters: WaitQueue<void, T> = new WaitQueue("Queue.put", {
    owner: this,
    take: (wait) => this.#land(wait.brought),
    takeBack: () => this.#offerRoom(),
  });
  readonly #joiners: WaitQueue<void> = new WaitQueue("Queue.join", {
    owner: this,
  });
  #unfinished = 0;
  #dropped = 0;
  #isShutDown = false;

  /**
   * Makes a queue.
   *
   * @param options How many items it holds, and what to do with more.
   * @throws {TypeError} When `options` is not an object, as in `new Queue(10)`,
   * or `maxSize` not a number.
   * @throws {RangeError} When `maxSize` is not an integer, or `overflow` no kind
   * of it.
   */
  constructor(options: QueueOptions = {}) {
    checkOptions("create a queue", options, QUEUE_OPTIONS);
    const { maxSize = 0, overflow = "wait", name } = options;
    checkMaxSize(maxSize);
    checkOneOf("create a queue", "overflow", overflow, OVERFLOWS);
    const isBounded = maxSize > 0 && maxSize !== Infinity;
    this.#maxSize = isBounded ? maxSize : 0;
    this.#limit = isBounded ? maxSize : Infinity;
    this.#overflow = overflow;
    if (name !== undefined) giveName(this, name);
  }

  /** How many items are in it, without those reserved for tasks that wait. */
  get size(): number {
    return this.#store.size - this.#getters.grantedSize;
  }

  /** How many items it holds at the most; 0 for any number. */
  get maxSize(): number {
    return this.#maxSize;
  }

  /** How many items it has dropped so far, by its `overflow`. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * Whether there is nothing to get at once.
   *
   * @returns True when {@linkcode Queue.getNowait} would throw.
   */
  empty(): boolean {
    return this.size === 0;
  }

  /**
   * Whether there is no room. An item that is reserved for a task that waits
   * takes up room until that task has it.
   *
   * @returns True when {@linkcode Queue.putNowait} would throw
   * {@linkcode QueueFull}, or an item be dropped; never without a maximum.
   */
  full(): boolean {
    return this.#store.size + this.#putters.grantedSize >= this.#limit;
  }

  /**
   * Puts an item in, waiting for room if there is none; with another
   * `overflow`, it never waits.
   *
   * @param item The item.
   * @returns When the item is in the queue, or was dropped.
   * @throws {QueueShutDown} When the queue is shut down, also while it waits.
   * @throws {QueueFull} With `overflow: "error"`, when there is no room.
   * @throws {CancelledError} When the task is cancelled; the item is then not
   * in the queue.
   * @throws {InvalidStateError} When it has to wait, and the queue has been
   * waited for in another loop.
   */
  put(item: T): Promise<void> {
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    if (this.#isShutDown) return Promise.reject(this.#shutDownError("put"));
    try {
      if (this.full()) {
        this.#store.check?.(item);
        if (this.#overflow === "wait") return this.#putters.wait(scope, item);
        this.#insertAnyway(item);
      } else this.#insert(item);
    } catch (error) {
      return Promise.reject(error);
    }
    return scope.kernel.succeed(scope, undefined);
  }

  /**
   * Puts an item in.
   *
   * @param item The item.
   * @throws {QueueFull} When there is no room, and `overflow` is not to drop one.
   * @throws {QueueShutDown} When the queue is shut down.
   */
  putNowait(item: T): void {
    if (this.#isShutDown) throw this.#shutDownError("put");
    if (this.full()) this.#insertAnyway(item);
    else this.#insert(item);
  }

  /**
   * Takes the next item out, waiting for one if there is none.
   *
   * @returns The item. If it is a promise or another thenable, what that comes
   * to.
   * @throws {QueueShutDown} When the queue is shut down and nothing is left,
   * also while it waits.
   * @throws {CancelledError} When the task is cancelled; no item is then taken.
   * @throws {InvalidStateError} When it has to wait, and the queue has been
   * waited for in another loop.
   */
  get(): Promise<T> {
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    if (this.size === 0) {
      return this.#isShutDown
        ? Promise.reject(this.#shutDownError("get"))
        : this.#getters.wait(scope);
    }
    let item: T;
    try {
      item = this.#shift();
    } catch (error) {
      return Promise.reject(error);
    }
    return scope.kernel.succeed(scope, item);
  }

  /**
   * Takes the next item out.
   *
   * @returns The item, as it is.
   * @throws {QueueEmpty} When there is none, but for those reserved for tasks
   * that wait.
   * @throws {QueueShutDown} When there is none and the queue is shut down.
   */
  getNowait(): T {
    if (this.size > 0) return this.#shift();
    if (this.#isShutDown) throw this.#shutDownError("get");
    throw new QueueEmpty(
      `Cannot get an item as the queue is empty: received a call on ${this}`,
    );
  }

  /**
   * Says that the work on one item is done: for {@linkcode Queue.join}.
   *
   * @throws {InvalidStateError} When there was one for every item already.
   * (asyncio throws a `ValueError`.)
   */
  taskDone(): void {
    if (this.#unfinished === 0) {
      throw new InvalidStateError(
        `Cannot count an item as done as none is unfinished: received a call on ${this}`,
      );
    }
    if (--this.#unfinished === 0) this.#joiners.settleAll();
  }

  /**
   * Waits until the work on every item that was put is done, which
   * {@linkcode Queue.taskDone} says.
   *
   * @returns When no item is unfinished.
   * @throws {CancelledError} When the task is cancelled.
   * @throws {InvalidStateError} When it has to wait, and the queue has been
   * waited for in another loop.
   */
  join(): Promise<void> {
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    if (this.#unfinished === 0) return scope.kernel.succeed(scope, undefined);
    return this.#joiners.wait(scope);
  }

  /**
   * Takes no more items: every `put` fails, and every `get` once nothing is
   * left. Can be called again, to make it immediate.
   *
   * @param options Whether the items are thrown away. They then count as done.
   * @throws {TypeError} When `options` is not an object.
   */
  shutdown(options: ShutdownOptions = {}): void {
    checkOptions("shut down a queue", options, SHUTDOWN_OPTIONS);
    this.#isShutDown = true;
    const putError = () => forCaller(this.#shutDownError("put"));
    this.#putters.failGranted(putError);
    this.#putters.failAll(putError);
    const getError = () => forCaller(this.#shutDownError("get"));
    if (options.immediate === true) {
      this.#discardItems();
      this.#getters.failGranted(getError);
    }
    this.#getters.failAll(getError);
  }

  /**
   * Its state, for logs and tests.
   *
   * @returns A frozen object; not a live view.
   */
  statistics(): QueueStatistics {
    return Object.freeze({
      size: this.size,
      maxSize: this.#maxSize,
      getters: this.#getters.size,
      putters: this.#putters.size,
      unfinished: this.#unfinished,
      shutDown: this.#isShutDown,
    });
  }

  /**
   * The items as they come, until the queue is shut down and nothing is left.
   * Leaving the loop leaves the queue as it is, and several loops may share it:
   * each item goes to one of them.
   *
   * @example To the end
   * ```ts
   * import { Queue } from "@asyncio/asyncio";
   * import { assertEquals } from "@std/assert";
   *
   * const queue = new Queue<string>();
   * queue.putNowait("a");
   * queue.putNowait("b");
   * queue.shutdown();
   * assertEquals(await Array.fromAsync(queue), ["a", "b"]);
   * ```
   *
   * @returns An iterator. A task that is cancelled while it waits for the next
   * item takes none.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T, undefined> {
    const end = { done: true, value: undefined } as const;
    const toResult = (value: T) => ({ done: false as const, value });
    const toEnd = (error: unknown) => {
      if (error instanceof QueueShutDown) return end;
      throw error;
    };
    return {
      next: () => this.get().then(toResult, toEnd),
      return: () => Promise.resolve(end),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /**
   * The queue and its state.
   *
   * @returns For example `<Queue size=2 maxSize=10 unfinished=3>`.
   */
  toString(): string {
    const { size, maxSize, getters, putters, unfinished } = this.statistics();
    const parts = [`${titleOf(this, this[Symbol.toStringTag])} size=${size}`];
    if (maxSize > 0) parts.push(`maxSize=${maxSize}`);
    if (getters > 0) parts.push(`getters=${getters}`);
    if (putters > 0) parts.push(`putters=${putters}`);
    if (unfinished > 0) parts.push(`unfinished=${unfinished}`);
    if (this.#dropped > 0) parts.push(`dropped=${this.#dropped}`);
    if (this.#isShutDown) parts.push("shut down");
    return `<${parts.join(" ")}>`;
  }

  /** What `Object.prototype.toString` says. */
  get [Symbol.toStringTag](): string {
    return "Queue";
  }

  /** Puts an item in that has room. */
  #insert(item: T): void {
    this.#store.push(item);
    this.#unfinished++;
    this.#offerItem();
  }

  /** The same if there is no room, and nobody may wait for it. */
  #insertAnyway(item: T): void {
    switch (this.#overflow) {
      case "dropNewest":
        this.#store.check?.(item);
        break;
      case "dropOldest":
        // One comes, and one goes: what is unfinished, or reserved, stays so.
        if (this.#store.dropOldest === undefined) this.#store.shift();
        else this.#store.dropOldest();
        this.#store.push(item);
        break;
      default:
        throw new QueueFull(
          `Cannot put an item as the queue is full: received a call on ${this}`,
        );
    }
    this.#dropped++;
  }

  /** The turn of a putter that was granted room. */
  #land(item: T): void {
    try {
      this.#insert(item);
    } catch (error) {
      this.#offerRoom();
      throw error;
    }
  }

  /** The turn of a getter that was granted an item. */
  #collect(): T {
    try {
      return this.#shift();
    } catch (error) {
      this.#offerItem();
      throw error;
    }
  }

  /** Takes an item out. */
  #shift(): T {
    const item = this.#store.shift() as T;
    this.#offerRoom();
    return item;
  }

  /** Reserves an item for the next getter, if there are both. */
  #offerItem(): void {
    if (
      this.#getters.first !== null &&
      this.#store.size > this.#getters.grantedSize
    ) this.#getters.settleFirst(undefined as T);
  }

  /** Reserves a place for the next putter, if there are both. */
  #offerRoom(): void {
    if (this.#putters.first !== null && !this.full()) {
      this.#putters.settleFirst(undefined);
    }
  }

  #discardItems(): void {
    this.#unfinished -= this.#store.size;
    this.#store.clear();
    if (this.#unfinished === 0) this.#joiners.settleAll();
  }

  #shutDownError(action: "get" | "put"): QueueShutDown {
    return new QueueShutDown(
      `Cannot ${action} an item as the queue is shut down: received a call on ${this}`,
    );
  }

  static {
    inspectByToString(this.prototype);
    useStore = (queue, store) => {
      queue.#store = store;
    };
  }
}

/** A negative one is allowed, as in asyncio, and so is infinity. */
function checkMaxSize(maxSize: unknown): void {
  if (typeof maxSize !== "number") {
    throw new TypeError(
      `Cannot create a queue as 'maxSize' must be an integer: received ${
        show(maxSize)
      }`,
    );
  }
  if (!Number.isInteger(maxSize) && maxSize !== Infinity) {
    throw new RangeError(
      `Cannot create a queue as 'maxSize' must be an integer: received ${maxSize}`,
    );
  }
}
