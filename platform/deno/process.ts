import type { HostProcess } from "../types/process.ts";

/** The program on Deno. */
export const hostProcess: HostProcess = {
  env(name) {
    const { state } = Deno.permissions.querySync({
      name: "env",
      variable: name,
    });
    return state === "granted" ? Deno.env.get(name) : undefined;
  },
  exit: (status) => Deno.exit(status),
  writeOutput: (line) => console.log(line),
  writeError: (line) => console.error(line),
  onIdle: (callback) => globalThis.addEventListener("beforeunload", callback),
  onExit: (callback) => globalThis.addEventListener("unload", callback),
  filterUnhandledRejections: (isHandled) =>
    globalThis.addEventListener("unhandledrejection", (event) => {
      if (isHandled(event.reason)) event.preventDefault();
    }),
};
