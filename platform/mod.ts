/** Picks the adapter of the runtime this code is running on. */
import { denoPlatform } from "./deno/mod.ts";
import { nodePlatform } from "./node/mod.ts";
import type { Platform } from "./types.ts";

/** The host. */
export const platform: Platform = "Deno" in globalThis
  ? denoPlatform
  : nodePlatform;

export type {
  AsyncStorage,
  HostHandle,
  HostProcess,
  HostSignals,
  HostTimers,
  Platform,
  SignalName,
} from "./types.ts";
