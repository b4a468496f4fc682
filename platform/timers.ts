import { timers as denoTimers } from "./deno/timers.ts";
import { timers as nodeTimers } from "./node/timers.ts";
import { isDeno } from "./runtime.ts";
import type { HostTimers } from "./types/timers.ts";

/** Time and turns of the host's event loop. */
export const hostTimers: HostTimers = isDeno ? denoTimers : nodeTimers;
