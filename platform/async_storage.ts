/** `AsyncLocalStorage`, which both runtimes have under the same name. */
import { builtin } from "./builtin.ts";
import type { AsyncStorage } from "./types.ts";

/** Makes a store that travels with the code through every `await`. */
export function createAsyncStorage<T>(): AsyncStorage<T> {
  const { AsyncLocalStorage } = builtin("node:async_hooks");
  return new AsyncLocalStorage<T>();
}
