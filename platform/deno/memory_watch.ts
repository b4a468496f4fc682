import { builtin } from "../shared/builtin.ts";
import { host } from "../shared/unfaked.ts";

/** How often a worker that has a job looks, in milliseconds. */
const LOOK_MS = 200;

/**
 * Finds out that a worker has run out of memory. Deno then ends the code that
 * runs, gives the heap more room, and goes on. If a message had called that code,
 * or it went on after an await, nobody is told, and the job never ends. What shows
 * is that the limit has grown.
 */
export class MemoryWatch {
  readonly #limit = heapLimit();
  readonly #onEmpty: (error: Error) => void;
  #isBusy = false;
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** @param onEmpty Called when there is no memory left. */
  constructor(onEmpty: (error: Error) => void) {
    this.#onEmpty = onEmpty;
  }

  begin(): void {
    this.#isBusy = true;
    if (this.#timer === null) this.#lookLater();
  }

  /** The timer stays, as the next job may follow at once. */
  end(): void {
    this.#isBusy = false;
  }

  #lookLater(): void {
    this.#timer = host.setTimeout(() => this.#look(), LOOK_MS);
  }

  #look(): void {
    this.#timer = null;
    if (heapLimit() > this.#limit) {
      const error = new Error("The worker has reached its limit of memory");
      this.#onEmpty(
        Object.assign(error, { code: "ERR_WORKER_OUT_OF_MEMORY" }),
      );
    } else if (this.#isBusy) this.#lookLater();
  }
}

function heapLimit(): number {
  return builtin("node:v8").getHeapStatistics().heap_size_limit;
}
