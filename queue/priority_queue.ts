import { checkFunction, checkOneOf } from "../_internal/check.ts";
import { Heap, type HeapItem } from "../_internal/heap.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { show } from "../_internal/show.ts";
import { compareByValue, rankingOf } from "./_compare.ts";
import {
  Queue,
  QUEUE_NAMES,
  type QueueOptions,
  type QueueOverflow,
  useStore,
} from "./queue.ts";
import type { Store } from "./_store.ts";

/**
 * What a {@linkcode PriorityQueue} does with an item for which it has no room. It
 * has no `"dropOldest"`: the oldest item may be the most urgent one.
 */
export type PriorityQueueOverflow = Exclude<QueueOverflow, "dropOldest">;

const OVERFLOWS: readonly PriorityQueueOverflow[] = [
  "wait",
  "dropNewest",
  "error",
];

/** Options of {@linkcode PriorityQueue}. */
export interface PriorityQueueOptions<T> extends QueueOptions {
  /**
   * What to do with an item for which there is no room. `"dropNewest"` drops the
   * one that is put, however urgent it is.
   *
   * @default {"wait"}
   */
  overflow?: PriorityQueueOverflow | undefined;
  /**
   * Orders two items, as `Array.prototype.sort` wants it: below 0 if the
   * first is to come first, above 0 if the second is, 0 if the one that
   * was put first is.
   *
   * @default {the smaller first: numbers, bigints, strings, dates, and arrays by their elements}
   */
  compare?: ((a: T, b: T) => number) | undefined;
}

const PRIORITY_QUEUE_OPTIONS = new OptionNames<PriorityQueueOptions<unknown>>({
  ...QUEUE_NAMES,
  compare: true,
}, { number: "maxSize", string: "overflow" });

/** What has an order of its own: a {@linkcode PriorityQueue} needs no `compare`. */
export type Comparable =
  | number
  | bigint
  | string
  | Date
  | readonly [Comparable, ...unknown[]]
  | readonly Comparable[];

/**
 * A {@linkcode Queue} that gives the smallest item first, and of equal ones the
 * one that was put first. Equivalent of `asyncio.PriorityQueue`.
 *
 * Without `compare` it takes what has an order of its own: numbers and bigints,
 * strings, dates; and arrays, as tuples are in Python: the first elements
 * decide, then the second ... Elements that have no order count as equal, so
 * `[priority, anything]` is fine. Of elements of two kinds, numbers come before
 * strings, strings before dates, dates before arrays, and those that have no
 * order last. All items are to be of one kind.
 *
 * | operation                 | cost     |
 * | ------------------------- | -------- |
 * | put, get, and the `Nowait` | O(log n) |
 *
 * @typeParam T What it passes on.
 *
 * @example The most urgent first
 * ```ts
 * import { PriorityQueue } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const queue = new PriorityQueue<[priority: number, name: string]>();
 * queue.putNowait([2, "write"]);
 * queue.putNowait([1, "eat"]);
 * queue.putNowait([10, "sleep"]);
 * assertEquals(await queue.get(), [1, "eat"]);
 * ```
 *
 * @example An order of one's own
 * ```ts
 * import { PriorityQueue } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const queue = new PriorityQueue<{ due: Date }>({
 *   compare: (a, b) => a.due.getTime() - b.due.getTime(),
 * });
 * queue.putNowait({ due: new Date("2026-02-01") });
 * queue.putNowait({ due: new Date("2026-01-01") });
 * assertEquals((await queue.get()).due.getUTCMonth(), 0);
 * ```
 */
export class PriorityQueue<T = Comparable> extends Queue<T> {
  /**
   * Makes a priority queue.
   *
   * An item that has no order, or none beside those in the queue, makes `put`
   * fail with a `TypeError`, as does whatever `compare` throws; the queue then
   * stays as it was.
   *
   * @param options How many items it holds, what to do with more, and their
   * order.
   * @throws {TypeError} When `maxSize` is not a number or `compare` not a
   * function.
   * @throws {RangeError} When `maxSize` is not an integer, or `overflow` none
   * that it has.
   */
  constructor(
    options: PriorityQueueOptions<T> & {
      compare: NonNullable<PriorityQueueOptions<T>["compare"]>;
    },
  );
  /**
   * Makes one of items that have an order of their own; of others it does not
   * compile.
   *
   * @param options How many items it holds.
   */
  constructor(
    ...options: [T] extends [Comparable] ? [options?: PriorityQueueOptions<T>]
      : [options: never]
  );
  constructor(options: PriorityQueueOptions<T> = {}) {
    checkOptions("create a queue", options, PRIORITY_QUEUE_OPTIONS);
    const { maxSize, overflow = "wait", compare, name } = options;
    checkOneOf("create a priority queue", "overflow", overflow, OVERFLOWS);
    super({ maxSize, overflow, name });
    if (compare !== undefined) {
      checkFunction("create a priority queue", "compare", compare);
    }
    useStore(this, new Ranking<T>(compare));
  }

  /** What `Object.prototype.toString` says. */
  override get [Symbol.toStringTag](): string {
    return "PriorityQueue";
  }
}

/** An item and its place among equal ones. */
interface Entry<T> extends HeapItem {
  readonly item: T;
  readonly order: number;
}

class Ranking<T> implements Store<T> {
  readonly #compare: ((a: T, b: T) => number) | undefined;
  readonly #heap: Heap<Entry<T>>;
  #order = 0;

  constructor(compare: ((a: T, b: T) => number) | undefined) {
    this.#compare = compare;
    this.#heap = new Heap<Entry<T>>(
      compare === undefined ? isBefore : (a, b) => {
        const difference = checkDifference(compare(a.item, b.item));
        return difference < 0 || (difference === 0 && a.order < b.order);
      },
    );
  }

  get size(): number {
    return this.#heap.size;
  }

  check(item: T): void {
    if (this.#compare !== undefined) return;
    const ranking = rankingOf(item);
    if (ranking === null) {
      throw new TypeError(
        `Cannot put an item without 'compare' as it must be a number, a bigint, a string, a date or an array of these: received ${
          show(item)
        }`,
      );
    }
    const top = this.#heap.peek();
    if (top !== undefined && rankingOf(top.item) !== ranking) {
      throw new TypeError(
        `Cannot put an item without 'compare' as it must be comparable with ${
          show(top.item)
        }, which is in the queue: received ${show(item)}`,
      );
    }
  }

  push(item: T): void {
    this.check(item);
    this.#heap.push({ item, order: this.#order++, heapIndex: -1 });
  }

  shift(): T | undefined {
    return this.#heap.pop()?.item;
  }

  clear(): void {
    this.#heap.clear();
  }
}

function checkDifference(difference: unknown): number {
  if (typeof difference === "number" && !Number.isNaN(difference)) {
    return difference;
  }
  throw new TypeError(
    `Cannot order two items as 'compare' must return a number: received ${
      show(difference)
    }`,
  );
}

/** In the order that the items have by themselves. */
function isBefore(a: Entry<unknown>, b: Entry<unknown>): boolean {
  const difference = compareByValue(a.item, b.item);
  return difference < 0 || (difference === 0 && a.order < b.order);
}
