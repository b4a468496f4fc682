/**
 * `AsyncLocalStorage`, which both runtimes have under the same name. Imported,
 * and not reached through `process` as in builtin.ts: on Deno the first look at
 * `process` loads most of Node's modules, 20 ms of every program's start.
 */
import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import type { AsyncPlace, AsyncStorage } from "./types.ts";

/** Makes a store that travels with the code through every `await`. */
export function createAsyncStorage<T>(): AsyncStorage<T> {
  return new AsyncLocalStorage<T>();
}

/** Keeps the present async context, with what every library stores in it. */
export function capturePlace(): AsyncPlace {
  const resource = new AsyncResource("asyncio");
  return {
    run(fn, first, second) {
      resource.runInAsyncScope(fn, undefined, first, second);
    },
  };
}
