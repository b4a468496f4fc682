import { startThread, threadSide, workerEntry } from "../worker_threads.ts";
import type { HostWorkers, HostWorkerSide } from "../worker_types.ts";

/** A `node:` worker starts from a file only; a data URL leads it anywhere. */
function startingPoint(entry: URL): URL {
  if (entry.protocol === "file:") return entry;
  const code = `import ${JSON.stringify(entry.href)};`;
  return new URL(`data:text/javascript,${encodeURIComponent(code)}`);
}

/** Worker threads on Deno. */
export const threads: { readonly workers: HostWorkers } = {
  workers: {
    // deno-lint-ignore asyncio/node-20 -- this is Deno
    parallelism: () => navigator.hardwareConcurrency,
    startWorker: (data, listener) =>
      startThread(startingPoint(workerEntry()), data, listener),
  },
};

/** The thread that started this one. */
export function workerSide(): HostWorkerSide {
  return threadSide((callback) => {
    // Deno prints what it handles itself.
    globalThis.addEventListener("error", (event) => {
      event.preventDefault();
      callback(event.error);
    });
    globalThis.addEventListener("unhandledrejection", (event) => {
      event.preventDefault();
      callback(event.reason);
    });
  });
}
