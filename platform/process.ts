import { hostProcess as denoProcess } from "./deno/process.ts";
import { hostProcess as nodeProcess } from "./node/process.ts";
import { isDeno } from "./runtime.ts";
import type { HostProcess } from "./types/process.ts";

/** The program as a whole. */
export const hostProcess: HostProcess = isDeno ? denoProcess : nodeProcess;
