/** What a {@linkcode Heap} holds: each item knows its own place. */
export interface HeapItem {
  /** Index in the heap's array, -1 while outside of it. Kept by the heap. */
  heapIndex: number;
}

/**
 * A binary min-heap whose items know where they stand, so that any of them is
 * removed in O(log n): a cancelled timer is gone at once and frees what it
 * holds, instead of waiting for its time.
 */
export class Heap<T extends HeapItem> {
  #items: T[] = [];
  readonly #before: (a: T, b: T) => boolean;

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    this.#items.push(item);
    this.#up(item, this.#items.length - 1);
  }

  pop(): T | undefined {
    const top = this.#items[0];
    if (top !== undefined) this.remove(top);
    return top;
  }

  /** Takes `item` out; false if it is not in this heap. */
  remove(item: T): boolean {
    const items = this.#items;
    const index = item.heapIndex;
    if (index < 0 || items[index] !== item) return false;
    const last = items.pop() as T;
    item.heapIndex = -1;
    if (last !== item) {
      this.#down(last, index);
    }
    return true;
  }

  /** What it holds, in no particular order; not to be changed. */
  items(): readonly T[] {
    return this.#items;
  }

  /** Empties the heap and gives what it held, in no particular order. */
  clear(): T[] {
    const items = this.#items;
    this.#items = [];
    for (const item of items) item.heapIndex = -1;
    return items;
  }

  #up(item: T, index: number): void {
    const items = this.#items;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = items[parentIndex] as T;
      if (!this.#before(item, parent)) break;
      items[index] = parent;
      parent.heapIndex = index;
      index = parentIndex;
    }
    items[index] = item;
    item.heapIndex = index;
  }

  /**
   * The item that takes the place of one that left came from the bottom, and
   * mostly goes back there. So the place goes down first, and the item up from
   * there, above where it began if need be: half the comparisons.
   */
  #down(item: T, index: number): void {
    const items = this.#items;
    const half = items.length >> 1;
    while (index < half) {
      let childIndex = 2 * index + 1;
      let child = items[childIndex] as T;
      const right = items[childIndex + 1];
      if (right !== undefined && this.#before(right, child)) {
        child = right;
        childIndex++;
      }
      items[index] = child;
      child.heapIndex = index;
      index = childIndex;
    }
    this.#up(item, index);
  }
}
