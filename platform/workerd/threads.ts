import { THREADS } from "../limits.ts";
import type { HostThreads } from "../types/threads.ts";
import { refuses } from "./refusals.ts";

/** Threads, which workerd has not. */
export const threads: HostThreads = {
  parallelism: () => 1,
  start: refuses(THREADS, "start a worker thread"),
};
