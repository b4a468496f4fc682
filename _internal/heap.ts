/** What a {@linkcode Heap} holds: each item knows its own place. */
export interface HeapItem {
  /** Index in the heap's array, -1 while outside of it. Kept by the heap. */
  heapIndex: number;
}

/**
 * A binary min-heap whose items know where they stand, so that any of them is
 * removed in O(log n): a cancelled timer is gone at once and frees what it
 * holds, instead of waiting for its time.
 *
 * A place is found before anything moves: a comparison that throws, as one of a
 * user may, leaves the heap as it was.
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
    const end = this.#items.length;
    this.#insert(item, end, this.#placeAbove(item, end));
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
    const end = items.length - 1;
    const last = items[end] as T;
    // It takes the place of the one that leaves, and moves from there.
    const place = last === item ? end : this.#placeFor(last, index, end);
    items.pop();
    item.heapIndex = -1;
    if (last !== item) this.#insert(last, index, place);
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

  /** Where `item` belongs if it comes to the free place `index`, or above. */
  #placeAbove(item: T, index: number): number {
    const items = this.#items;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      if (!this.#before(item, items[parentIndex] as T)) break;
      index = parentIndex;
    }
    return index;
  }

  /**
   * The item that takes the place of one that left came from the bottom, and
   * mostly goes back there. So its place is looked for from the bottom up, above
   * where it began if need be: half the comparisons.
   *
   * @param index The place that is free.
   * @param end How many items will be left.
   */
  #placeFor(item: T, index: number, end: number): number {
    const items = this.#items;
    const half = end >> 1;
    let place = index;
    while (place < half) {
      const left = 2 * place + 1;
      const right = left + 1;
      place = right < end &&
          this.#before(items[right] as T, items[left] as T)
        ? right
        : left;
    }
    while (place > index) {
      if (!this.#before(item, items[place] as T)) return place;
      place = (place - 1) >> 1;
    }
    return this.#placeAbove(item, index);
  }

  /** Puts `item` at `place`; those between there and the free place move up or down. */
  #insert(item: T, free: number, place: number): void {
    const items = this.#items;
    // Those above the free place come down, one by one.
    while (free > place) {
      const parentIndex = (free - 1) >> 1;
      const parent = items[parentIndex] as T;
      items[free] = parent;
      parent.heapIndex = free;
      free = parentIndex;
    }
    // Those below it go up: the way to the place is known from its end.
    for (let index = place; index > free;) {
      const moved = item;
      item = items[index] as T;
      items[index] = moved;
      moved.heapIndex = index;
      index = (index - 1) >> 1;
    }
    items[free] = item;
    item.heapIndex = free;
  }
}
