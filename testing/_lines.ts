import { userFrames } from "../loop/creation_stacks.ts";
import type { Instrument, WaitInfo } from "../loop/hooks.ts";
import type { Runnable } from "../loop/types.ts";

/** The lines of a test at which its waits began. */
export class Lines implements Instrument {
  readonly #lines = new WeakMap<object, string>();

  waitStarted(wait: WaitInfo): void {
    const line = lineOfCall();
    if (line !== null) this.#lines.set(wait, line);
  }

  /** A step in words, with the line at which its wait began. */
  nameOf(step: Runnable): string {
    const line = this.#lines.get(step);
    return line === undefined ? step.describe() : `${step.describe()} ${line}`;
  }
}

/** The line of the test that is being called from, as in a stack. */
export function lineOfCall(): string | null {
  return userFrames(new Error())[0]?.trim() ?? null;
}
