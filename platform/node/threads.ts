import { builtin } from "../shared/builtin.ts";
import { WORKER_CODE } from "../shared/worker_code.ts";
import { startThread, type WorkerStart } from "../shared/worker_threads.ts";
import type { HostThreads } from "../types/threads.ts";

let start: WorkerStart | null = null;

/** Looked for once. */
function workerStart(): WorkerStart {
  return start ??= findStart();
}

/**
 * The file in the package, from which Node resolves what jobs import; or, in a
 * bundle, where there is no such file, the same code as a string.
 */
function findStart(): WorkerStart {
  const file = workerFile();
  return file !== null && builtin("node:fs").existsSync(file)
    ? { code: file, isScript: false }
    : { code: WORKER_CODE, isScript: true };
}

/**
 * Where the file is, if this is one of the package. The only place that names it:
 * the sources are TypeScript, and the npm package is JavaScript.
 */
function workerFile(): URL | null {
  // Some bundlers leave it undefined when they write CommonJS.
  const url: string | undefined = import.meta.url;
  if (url === undefined || !url.startsWith("file:")) return null;
  const extension = url.slice(url.lastIndexOf("."));
  return new URL(`../../threads/_worker_main${extension}`, url);
}

/** Worker threads on Node. */
export const threads: HostThreads = {
  parallelism: () => builtin("node:os").availableParallelism(),
  start: (data, limits, listener) =>
    startThread(workerStart(), data, limits, listener),
};
