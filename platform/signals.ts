import { signals as denoSignals } from "./deno/signals.ts";
import { signals as nodeSignals } from "./node/signals.ts";
import { isDeno, isWorkerd } from "./runtime.ts";
import type { HostSignals } from "./types/signals.ts";
import { signals as workerdSignals } from "./workerd/signals.ts";

/** Signals sent to this program. */
export const hostSignals: HostSignals = isDeno
  ? denoSignals
  : isWorkerd
  ? workerdSignals
  : nodeSignals;
