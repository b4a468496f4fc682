/** What the loop asks of its host, in one object. */
import { capturePlace, createAsyncStorage, isolate } from "./async_storage.ts";
import { hostProcess } from "./process.ts";
import { hostSignals } from "./signals.ts";
import { hostTimers } from "./timers.ts";
import type { AsyncPlace, AsyncStorage } from "./types/async_storage.ts";
import type { HostProcess } from "./types/process.ts";
import type { HostSignals } from "./types/signals.ts";
import type { HostTimers } from "./types/timers.ts";

/** The host of the loop. */
export interface Platform extends HostTimers, HostSignals, HostProcess {
  createAsyncStorage<T>(): AsyncStorage<T>;
  capturePlace(): AsyncPlace;
  isolate: typeof isolate;
}

/** The host of the loop. */
export const platform: Platform = {
  createAsyncStorage,
  capturePlace,
  isolate,
  ...hostTimers,
  ...hostSignals,
  ...hostProcess,
};

export type { AsyncPlace, AsyncStorage };
export type { SignalName } from "./types/signals.ts";
