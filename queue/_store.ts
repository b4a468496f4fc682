/** What a queue keeps its items in; it decides which one is next. */
export interface Store<T> {
  readonly size: number;
  /** Throws for an item this store cannot take, and then has not taken it. */
  check?(item: T): void;
  push(item: T): void;
  /** Takes the next item out; not called on an empty store. */
  shift(): T | undefined;
  /** Takes the oldest item out, where that is not the next one. */
  dropOldest?(): void;
  clear(): void;
}
