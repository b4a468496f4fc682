/**
 * The ready queue's store: a first-in-first-out queue over an array whose
 * length is a power of two, so that an index wraps with one mask.
 *
 * ```text
 *          head            head+size
 *           v                  v
 *   [ - , - , a , b , c , d , - , - ]      mask = 7
 * ```
 *
 * Both ends are O(1) and allocate nothing until the array is full.
 */
export class RingBuffer<T> {
  #slots: (T | undefined)[];
  #head = 0;
  #size = 0;
  #mask: number;

  constructor() {
    this.#slots = new Array(SMALLEST);
    this.#mask = SMALLEST - 1;
  }

  get size(): number {
    return this.#size;
  }

  push(item: T): void {
    if (this.#size > this.#mask) this.#grow();
    this.#slots[(this.#head + this.#size) & this.#mask] = item;
    this.#size++;
  }

  unshift(item: T): void {
    if (this.#size > this.#mask) this.#grow();
    this.#head = (this.#head - 1) & this.#mask;
    this.#slots[this.#head] = item;
    this.#size++;
  }

  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#slots[this.#head];
    // The slot is emptied so that the buffer never keeps what it handed out.
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & this.#mask;
    if (--this.#size === 0 && this.#mask >= LARGEST_KEPT) this.clear();
    return item;
  }

  pop(): T | undefined {
    if (this.#size === 0) return undefined;
    const index = (this.#head + --this.#size) & this.#mask;
    const item = this.#slots[index];
    this.#slots[index] = undefined;
    return item;
  }

  peek(): T | undefined {
    return this.#slots[this.#head];
  }

  last(): T | undefined {
    return this.#slots[(this.#head + this.#size - 1) & this.#mask];
  }

  /** The item that `index` others are ahead of. */
  at(index: number): T | undefined {
    return index < this.#size
      ? this.#slots[(this.#head + index) & this.#mask]
      : undefined;
  }

  /** Takes out the item that `index` others are ahead of, which move up: O(index). */
  removeAt(index: number): T | undefined {
    const item = this.at(index);
    if (index >= this.#size) return undefined;
    for (let each = index; each > 0; each--) {
      this.#slots[(this.#head + each) & this.#mask] =
        this.#slots[(this.#head + each - 1) & this.#mask];
    }
    this.shift();
    return item;
  }

  clear(): void {
    this.#slots = new Array(SMALLEST);
    this.#mask = SMALLEST - 1;
    this.#head = 0;
    this.#size = 0;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let i = 0; i < this.#size; i++) {
      yield this.#slots[(this.#head + i) & this.#mask] as T;
    }
  }

  #grow(): void {
    const slots = this.#slots;
    const length = slots.length;
    const grown: (T | undefined)[] = new Array(length * 2);
    for (let i = 0; i < length; i++) {
      grown[i] = slots[(this.#head + i) & this.#mask];
    }
    this.#slots = grown;
    this.#mask = length * 2 - 1;
    this.#head = 0;
  }
}

const SMALLEST = 16;
/** A burst may leave a large array behind; past this it is let go of. */
const LARGEST_KEPT = 4096;
