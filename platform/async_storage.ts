/**
 * `AsyncLocalStorage`, which both runtimes have under the same name. Imported,
 * and not reached through `process` as in builtin.ts: on Deno the first look at
 * `process` loads most of Node's modules, 20 ms of every program's start.
 */
import type { AsyncPlace, AsyncStorage } from "./types/async_storage.ts";
import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import { CellStorage } from "./cell_storage.ts";
import { isWorkerd } from "./runtime.ts";

/** Whether the host's storage has `enterWith()`; that of workerd throws there. */
const canEnter = !isWorkerd;

/** Makes a store that travels with the code through every `await`. */
export function createAsyncStorage<T>(): AsyncStorage<T> {
  return canEnter ? new AsyncLocalStorage<T>() : new CellStorage<T>();
}

/** Whether what is entered inside of another storage's `run()` stays after it. */
const leaks = canEnter &&
  // Nothing of the trial is left in the code that imports the library: Bun's
  // test runner is not told of the end of tests in a file that has entered a
  // storage.
  new AsyncResource("asyncio").runInAsyncScope(leaksOutOfRun);

function leaksOutOfRun(): boolean {
  const entered = new AsyncLocalStorage<boolean>();
  new AsyncLocalStorage().run(undefined, () => entered.enterWith(true));
  const hasLeaked = entered.getStore() === true;
  entered.disable();
  return hasLeaked;
}

/**
 * Calls a function that only enters a store by `run()`, so that what the code in
 * there enters in other storages reaches nobody outside. Up to Node 22 `run()`
 * takes back nothing but its own store.
 */
export function isolate<A, B>(
  fn: (first: A, second: B) => void,
  first: A,
  second: B,
): void {
  if (!leaks) return fn(first, second);
  new AsyncResource("asyncio").runInAsyncScope(fn, undefined, first, second);
}

/** Keeps the present async context, with what every library stores in it. */
export function capturePlace(): AsyncPlace {
  const resource = new AsyncResource("asyncio");
  return {
    run(
      fn: (first?: unknown, second?: unknown) => void,
      first?: unknown,
      second?: unknown,
    ) {
      resource.runInAsyncScope(fn, undefined, first, second);
    },
  };
}
