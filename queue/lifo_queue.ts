import { RingBuffer } from "../_internal/ring_buffer.ts";
import { Queue, type QueueOptions, useStore } from "./queue.ts";
import type { Store } from "./_store.ts";

/**
 * A {@linkcode Queue} that gives the newest item first: a stack. Tasks that
 * wait are served first come, first served all the same. Equivalent of
 * `asyncio.LifoQueue`.
 *
 * @typeParam T What it passes on.
 *
 * @example The newest first
 * ```ts
 * import { LifoQueue } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const queue = new LifoQueue<string>();
 * queue.putNowait("first");
 * queue.putNowait("second");
 * assertEquals(await queue.get(), "second");
 * ```
 */
export class LifoQueue<T = unknown> extends Queue<T> {
  /**
   * Makes a stack.
   *
   * @param options How many items it holds, and what to do with more.
   * @throws {TypeError} When `maxSize` is not a number.
   * @throws {RangeError} When `maxSize` is not an integer, or `overflow` no kind
   * of it.
   */
  constructor(options: QueueOptions = {}) {
    super(options);
    useStore(this, new Stack<T>());
  }

  /** What `Object.prototype.toString` says. */
  override get [Symbol.toStringTag](): string {
    return "LifoQueue";
  }
}

class Stack<T> implements Store<T> {
  readonly #items = new RingBuffer<T>();

  get size(): number {
    return this.#items.size;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    return this.#items.pop();
  }

  dropOldest(): void {
    this.#items.shift();
  }

  clear(): void {
    this.#items.clear();
  }
}
