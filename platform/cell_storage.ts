/**
 * A store on a host whose `AsyncLocalStorage` has no `enterWith()`. What travels
 * with the code is a cell, and to enter a store is to change what the cell holds.
 * All that began with the same cell would see that; so who enters a store does it
 * `apart()`, in a cell of its own.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { CONTEXT_OUTSIDE, refusal } from "./limits.ts";
import type { AsyncStorage } from "./types/async_storage.ts";

interface Cell<T> {
  store: T | undefined;
}

export class CellStorage<T> implements AsyncStorage<T> {
  readonly #cells = new AsyncLocalStorage<Cell<T>>();

  getStore(): T | undefined {
    return this.#cells.getStore()?.store;
  }

  run<A extends unknown[], R>(
    store: T,
    callback: (...args: A) => R,
    ...args: A
  ): R {
    return this.#cells.run({ store }, callback, ...args);
  }

  enterWith(store: T): void {
    const cell = this.#cells.getStore();
    if (cell === undefined) {
      throw refusal(
        CONTEXT_OUTSIDE,
        "set a context variable outside of a task and a callback",
      );
    }
    cell.store = store;
  }

  apart<A>(fn: (argument: A) => void, argument: A): void {
    this.#cells.run({ store: this.getStore() }, fn, argument);
  }
}
