/**
 * What a worker needs of its host: as little as can be, as it
 * starts in a moment in which someone waits for it.
 */
import { workerSide as denoSide } from "./deno/worker_side.ts";
import { workerSide as nodeSide } from "./node/worker_side.ts";
import { isDeno } from "./runtime.ts";
import type { HostWorkerSide } from "./types/threads.ts";

/** The thread that started this one. */
export const workerSide: () => HostWorkerSide = isDeno ? denoSide : nodeSide;
