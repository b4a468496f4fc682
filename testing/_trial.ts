/** One run of a test, in virtual time and in an order of its own. */
import { isError, messageOf, stringOf } from "../_internal/error_text.ts";
import { newEventLoop } from "../loop/ambient.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import type { TaskFunction } from "../loop/task.ts";
import { run } from "../tasks/runner.ts";
import { VirtualClock } from "./virtual_clock.ts";

/** What a test threw: an object, as it may throw `null`. */
export interface Failure {
  readonly error: unknown;
}

/** @param prepare Sees the loop before it runs. */
export async function tryOnce(
  fn: TaskFunction<unknown>,
  prepare: (loop: EventLoop) => void,
): Promise<Failure | null> {
  const loop = newEventLoop({ clock: new VirtualClock() });
  prepare(loop);
  try {
    // A run is too short for a signal to be its affair.
    await run(fn, { loop, signals: [] });
    return null;
  } catch (error) {
    return { error };
  }
}

/** What a test threw, in words. */
export function wordsOf({ error }: Failure): string {
  return isError(error) ? messageOf(error) : stringOf(error);
}

/** Whether two failures are of one kind, as far as can be told. */
export function isAlike({ error: a }: Failure, { error: b }: Failure): boolean {
  return isError(a) && isError(b)
    ? a.constructor === b.constructor
    : typeof a === typeof b;
}
