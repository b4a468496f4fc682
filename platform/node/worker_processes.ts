import { nodeProcess } from "../shared/node_process.ts";
import { makePrefork } from "./prefork.ts";
import type { HostPrefork } from "../types/worker_processes.ts";
import { mapError } from "./errors.ts";
import { processes } from "./process.ts";

/** Flags that two processes cannot have alike, or that belong to this one. */
const OWN_REGEXP = /^--(?:inspect|test|watch)/;

/** Worker processes on Node. */
export const preforking: { readonly prefork: HostPrefork } = {
  prefork: makePrefork(
    (asked) =>
      asked ?? nodeProcess().execArgv.filter((flag) => !OWN_REGEXP.test(flag)),
    mapError,
    processes.env,
  ),
};
