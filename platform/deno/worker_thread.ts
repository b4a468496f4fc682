import { builtin } from "../builtin.ts";
import { startThread, threadSide, workerEntry } from "../worker_threads.ts";
import type {
  HostResourceLimits,
  HostWorkers,
  HostWorkerSide,
} from "../worker_types.ts";
import { MemoryWatch } from "./memory_watch.ts";

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
    startWorker: (data, limits, listener) =>
      startThread(
        startingPoint(workerEntry()),
        data,
        withHeapLimit(limits),
        listener,
      ),
  },
};

/** Without a limit, a worker out of memory would end the program. */
function withHeapLimit(limits: HostResourceLimits | null): HostResourceLimits {
  const { heap_size_limit } = builtin("node:v8").getHeapStatistics();
  return {
    maxOldGenerationSizeMb: Math.ceil(heap_size_limit / 2 ** 20),
    ...limits,
  };
}

/** The thread that started this one. */
export function workerSide(): HostWorkerSide {
  let tell: (error: unknown) => void = () => {};
  const watch = new MemoryWatch((error) => tell(error));
  return threadSide({
    onUncaught(callback) {
      tell = callback;
      // Deno prints what it handles itself.
      globalThis.addEventListener("error", (event) => {
        event.preventDefault();
        callback(event.error);
      });
      globalThis.addEventListener("unhandledrejection", (event) => {
        event.preventDefault();
        callback(event.reason);
      });
    },
    jobBegins: () => watch.begin(),
    jobEnded: () => watch.end(),
  });
}
