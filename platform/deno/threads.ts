import { builtin } from "../shared/builtin.ts";
import { WORKER_CODE } from "../shared/worker_code.ts";
import { startThread, type WorkerStart } from "../shared/worker_threads.ts";
import type { HostResourceLimits, HostThreads } from "../types/threads.ts";

let start: WorkerStart | null = null;

/**
 * The file beside this one, so that what jobs load is one copy with it; or the
 * same code from a string: in a bundle, where there is no such file, and where the
 * program may not read it.
 */
function workerStart(): WorkerStart {
  return start ??= { code: workerUrl(), isScript: false };
}

function workerUrl(): URL {
  const [own, extension] = OWN_FILE_REGEXP.exec(import.meta.url) ?? [];
  if (own === undefined) return dataUrl(WORKER_CODE);
  const file = new URL(`../../threads/_worker_main${extension}`, own);
  // A `node:` worker starts from a file only; a data URL leads it anywhere.
  if (file.protocol !== "file:") {
    return dataUrl(`import ${JSON.stringify(file.href)};`);
  }
  const { state } = Deno.permissions.querySync({ name: "read", path: file });
  return state === "granted" ? file : dataUrl(WORKER_CODE);
}

const OWN_FILE_REGEXP = /^.*\/platform\/deno\/threads(\.[jt]s)$/;

function dataUrl(code: string): URL {
  return new URL(`data:text/javascript,${encodeURIComponent(code)}`);
}

/** Worker threads on Deno. */
export const threads: HostThreads = {
  // deno-lint-ignore asyncio/node-20 -- this is Deno
  parallelism: () => navigator.hardwareConcurrency,
  start: (data, limits, listener) =>
    startThread(workerStart(), data, withHeapLimit(limits), listener),
};

/** Without a limit, a worker out of memory would end the program. */
function withHeapLimit(limits: HostResourceLimits | null): HostResourceLimits {
  const { heap_size_limit } = builtin("node:v8").getHeapStatistics();
  return {
    maxOldGenerationSizeMb: Math.ceil(heap_size_limit / 2 ** 20),
    ...limits,
  };
}
