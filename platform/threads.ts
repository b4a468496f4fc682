import { threads as denoThreads } from "./deno/threads.ts";
import { threads as nodeThreads } from "./node/threads.ts";
import { isDeno } from "./runtime.ts";
import type { HostThreads } from "./types/threads.ts";

/** Worker threads. */
export const hostThreads: HostThreads = isDeno ? denoThreads : nodeThreads;
