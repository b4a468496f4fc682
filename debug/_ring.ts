/** A list that keeps the newest: what is pushed to a full one takes the oldest's place. */
export class Ring<T> {
  readonly #capacity: number;
  #items: T[] = [];
  #oldest = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  push(item: T): void {
    if (this.#items.length < this.#capacity) {
      this.#items.push(item);
      return;
    }
    this.#items[this.#oldest] = item;
    this.#oldest = (this.#oldest + 1) % this.#capacity;
  }

  clear(): void {
    this.#items = [];
    this.#oldest = 0;
  }

  /** From the oldest to the newest. */
  *[Symbol.iterator](): Iterator<T> {
    yield* this.#items.slice(this.#oldest);
    yield* this.#items.slice(0, this.#oldest);
  }
}
