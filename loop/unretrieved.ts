/**
 * Errors nobody asked for. A failed future that is collected, or whose loop is
 * closed, before anyone retrieved its error reports it: never silently away.
 */
import { capturePlace } from "../platform/async_storage.ts";
import { hostProcess } from "../platform/process.ts";
import type { AsyncPlace } from "../platform/types/async_storage.ts";
import type { Future } from "./future.ts";
import type { Kernel } from "./kernel.ts";
import type { Report } from "./exceptions.ts";

/** The error of one future; must not refer to the future strongly. */
export class Unretrieved {
  readonly #kernel: Kernel;
  readonly #error: unknown;
  readonly #future: WeakRef<Future<unknown>>;
  readonly #title: string;
  readonly #createdAt: string | undefined;
  /** In the async context in which the future failed. */
  readonly #place: AsyncPlace;

  constructor(kernel: Kernel, future: Future<unknown>, error: unknown) {
    this.#kernel = kernel;
    this.#error = error;
    this.#future = new WeakRef(future);
    this.#title = future.toString();
    this.#createdAt = kernel.creationStack(future);
    this.#place = capturePlace();
    outstanding(kernel).add(this);
    registry.register(future, this, this);
  }

  /** Someone asked for the error. */
  dismiss(): void {
    outstandingOf.get(this.#kernel)?.delete(this);
    registry.unregister(this);
  }

  report(): void {
    this.dismiss();
    const context: Report = {
      message: `${this.#title} failed and its error was never retrieved`,
      error: this.#error,
      future: this.#future.deref(),
      createdAt: this.#createdAt,
    };
    this.#place.run(report, this.#kernel, context);
  }
}

function report(kernel: Kernel, context: Report): void {
  kernel.report(context);
}

const registry = new FinalizationRegistry<Unretrieved>((record) =>
  record.report()
);
const outstandingOf = new WeakMap<Kernel, Set<Unretrieved>>();

function outstanding(kernel: Kernel): Set<Unretrieved> {
  let records = outstandingOf.get(kernel);
  if (records === undefined) {
    records = new Set();
    outstandingOf.set(kernel, records);
    // An ambient loop is never closed; it ends with the program.
    if (kernel.ambient) hostProcess.onExit(() => reportUnretrieved(kernel));
  }
  return records;
}

/** Reports what is left when the loop closes or the program ends. */
export function reportUnretrieved(kernel: Kernel): void {
  for (const record of [...outstandingOf.get(kernel) ?? []]) record.report();
}
