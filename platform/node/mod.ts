import { capturePlace, createAsyncStorage, isolate } from "../async_storage.ts";
import type { Platform } from "../types.ts";
import { net } from "./net.ts";
import { preforking } from "./prefork.ts";
import { processes } from "./process.ts";
import { signals } from "./signals.ts";
import { spawning } from "./spawn.ts";
import { timers } from "./timers.ts";
import { threads } from "./worker_thread.ts";

/** The adapter for Node. */
export const nodePlatform: Platform = {
  name: "node",
  createAsyncStorage,
  capturePlace,
  isolate,
  ...timers,
  ...net,
  ...signals,
  ...processes,
  ...spawning,
  ...threads,
  ...preforking,
};
