import { nodeProcess } from "../shared/node_process.ts";
import type { HostProcess } from "../types/process.ts";
import { filterUnhandledRejections } from "./rejections.ts";

/** The program on Node. */
export const hostProcess: HostProcess = {
  env: (name) => nodeProcess().env[name],
  exit: (status) => nodeProcess().exit(status),
  writeOutput: (line) => console.log(line),
  writeError: (line) => console.error(line),
  onIdle: (callback) => nodeProcess().on("beforeExit", callback),
  onExit: (callback) => nodeProcess().on("exit", callback),
  filterUnhandledRejections,
};
