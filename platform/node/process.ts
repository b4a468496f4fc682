import { nodeProcess } from "../node_process.ts";
import type { HostProcess } from "../types.ts";

/** The program on Node. */
export const processes: HostProcess = {
  env: (name) => nodeProcess().env[name],
  exit: (status) => nodeProcess().exit(status),
  writeOutput: (line) => console.log(line),
  writeError: (line) => console.error(line),
  onIdle: (callback) => nodeProcess().on("beforeExit", callback),
  onExit: (callback) => nodeProcess().on("exit", callback),
  filterUnhandledRejections(isHandled) {
    const process = nodeProcess();
    process.on("unhandledRejection", (reason) => {
      if (isHandled(reason)) return;
      // A listener turns off Node's own answer, which is to end the program
      // with the error. Where no one else listens, that answer is given here.
      if (process.listenerCount("unhandledRejection") === 1) throw reason;
    });
    // The rejection of a module's own top-level await comes this way.
    process.on("uncaughtExceptionMonitor", (error) => isHandled(error));
  },
};
