/**
 * `AsyncLocalStorage`, which both runtimes have under the same name. Imported,
 * and not reached through `process` as in builtin.ts: on Deno the first look at
 * `process` loads most of Node's modules, 20 ms of every program's start.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { AsyncStorage } from "./types.ts";

/** Makes a store that travels with the code through every `await`. */
export function createAsyncStorage<T>(): AsyncStorage<T> {
  return new AsyncLocalStorage<T>();
}
