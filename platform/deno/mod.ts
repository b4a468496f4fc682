import { capturePlace, createAsyncStorage, isolate } from "../async_storage.ts";
import type { Platform } from "../types/host.ts";
import { net } from "./net.ts";
import { preforking } from "./worker_processes.ts";
import { processes } from "./process.ts";
import { signals } from "./signals.ts";
import { spawning } from "./children.ts";
import { timers } from "./timers.ts";
import { threads } from "./threads.ts";

/** The adapter for Deno. */
export const denoPlatform: Platform = {
  name: "deno",
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
