/**
 * How long waits last. Nobody notes when a wait begins, unless someone wants to
 * know: debug mode, or an inspector that is open.
 */
import { showSpan } from "../_internal/show_span.ts";
import { type Instrument, type WaitInfo, waitsBelow } from "./hooks.ts";
import type { Kernel, LoopKernel } from "./kernel.ts";
import type { Wait } from "./wait.ts";

/** A wait that lasts less than this is not worth a word, in milliseconds. */
const WORTH_TELLING_MS = 1000;

/** Notes when the waits of a loop begin, by the loop's own time. */
class WaitAges implements Instrument {
  readonly #kernel: Kernel;
  readonly #since = new WeakMap<object, number>();
  users = 0;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    const now = kernel.now();
    const scopes = [kernel.root];
    for (let scope = kernel.tasks; scope !== null; scope = scope.after) {
      scopes.push(scope);
    }
    // They have lasted for longer; how much longer nobody knows.
    for (const scope of scopes) {
      for (const wait of waitsBelow(scope)) this.#since.set(wait, now);
    }
  }

  waitStarted(wait: WaitInfo): void {
    this.#since.set(wait, this.#kernel.now());
  }

  since(wait: object): number | null {
    return this.#since.get(wait) ?? null;
  }
}

const agesOf = new WeakMap<Kernel, WaitAges>();

/**
 * Notes from now on when waits begin; the function it returns ends that.
 * Of those that wait already, it is known since when they have been seen.
 */
export function noteWaitAges(kernel: LoopKernel): () => void {
  let ages = agesOf.get(kernel);
  if (ages === undefined) {
    ages = new WaitAges(kernel);
    agesOf.set(kernel, ages);
    kernel.loop.addInstrument(ages);
  }
  const noting = ages;
  noting.users++;
  let isNoting = true;
  return () => {
    if (!isNoting) return;
    isNoting = false;
    if (--noting.users > 0) return;
    agesOf.delete(kernel);
    kernel.loop.removeInstrument(noting);
  };
}

/** When a wait began, by its loop's time; null if that was not noted. */
export function waitingSince(wait: Wait<unknown>): number | null {
  return agesOf.get(wait.scope.kernel)?.since(wait) ?? null;
}

/** What a wait waits for and, from a second on, for how long: ` for 1.5 s`. */
export function describeWait(wait: Wait<unknown>): string {
  const since = waitingSince(wait);
  if (since === null) return wait.what;
  const ms = wait.scope.kernel.now() - since;
  return ms < WORTH_TELLING_MS ? wait.what : `${wait.what} for ${showSpan(ms)}`;
}
