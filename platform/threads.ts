import { threads as denoThreads } from "./deno/threads.ts";
import { threads as nodeThreads } from "./node/threads.ts";
import { isDeno, isWorkerd } from "./runtime.ts";
import type { HostThreads } from "./types/threads.ts";
import { threads as workerdThreads } from "./workerd/threads.ts";

/** Worker threads. */
export const hostThreads: HostThreads = isDeno
  ? denoThreads
  : isWorkerd
  ? workerdThreads
  : nodeThreads;
