/** A store that travels with the code through every `await`. */
export interface AsyncStorage<T> {
  getStore(): T | undefined;
  run<A extends unknown[], R>(
    store: T,
    callback: (...args: A) => R,
    ...args: A
  ): R;
  enterWith(store: T): void;
  /**
   * Calls a function in which `enterWith()` may be called, and keeps that in.
   * Only where a host cannot enter a store for the rest of a reaction alone.
   */
  apart?<A>(fn: (argument: A) => void, argument: A): void;
}

/** An async context that was kept, to be gone back to. */
export interface AsyncPlace {
  run(fn: () => void): void;
  run<A>(fn: (argument: A) => void, argument: A): void;
  run<A, B>(fn: (first: A, second: B) => void, first: A, second: B): void;
}
