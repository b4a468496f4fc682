/**
 * The executor of a loop that was given none. It is a pool of workers, which
 * comes later in the order of folders: whoever loads that has it made here. A bundle has it only
 * if something in it names a part of `threads/`.
 */
import { InvalidStateError } from "../errors.ts";
import type { Executor } from "./types.ts";

let make: (() => Executor) | null = null;

/** Tells this file how to make an executor. */
export function provideDefaultExecutor(provide: () => Executor): void {
  make = provide;
}

export function makeDefaultExecutor(): Executor {
  if (make === null) {
    throw new InvalidStateError(
      'Cannot run in the default executor as there is none: first call setDefaultExecutor() with a WorkerPoolExecutor, which is in "@asyncio/asyncio/threads"',
    );
  }
  return make();
}
