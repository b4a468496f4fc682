/**
 * What a worker needs of its host: it loads this and not all of `mod.ts`, as it
 * starts in a moment in which someone waits for it.
 */
import { workerSide as denoSide } from "./deno/worker_side.ts";
import { workerSide as nodeSide } from "./node/worker_side.ts";
import type { HostWorkerSide } from "./types/threads.ts";

/** The thread that started this one. */
export const workerSide: () => HostWorkerSide = "Deno" in globalThis
  ? denoSide
  : nodeSide;
