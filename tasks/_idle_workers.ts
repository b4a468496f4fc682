import type { Scope } from "../loop/scope.ts";
import { Wait, type WaitSource } from "../loop/wait.ts";

/**
 * Tasks of the library that wait for something to do. There is no order among
 * them, and nothing that one could take from another, so none needs a turn of
 * the loop to go on: what wakes them is a step already.
 */
export class IdleWorkers implements WaitSource {
  readonly #what: string;
  readonly #waits: IdleWait[] = [];

  /** @param what Their work, for debug mode. */
  constructor(what: string) {
    this.#what = what;
  }

  wait(scope: Scope): Promise<void> {
    const wait = new IdleWait(scope, this);
    this.#waits.push(wait);
    return wait.promise;
  }

  /** Lets one go on, the last that came; false if there is none. */
  wake(): boolean {
    const wait = this.#waits.pop();
    wait?.wake();
    return wait !== undefined;
  }

  wakeAll(): void {
    while (this.wake());
  }

  /** All are about to be cancelled, and none is to be woken. */
  forgetAll(): void {
    this.#waits.length = 0;
  }

  abandon(wait: Wait<unknown>): void {
    const index = this.#waits.indexOf(wait as IdleWait);
    if (index >= 0) this.#waits.splice(index, 1);
  }

  describe(): string {
    return this.#what;
  }
}

class IdleWait extends Wait<void> {
  constructor(scope: Scope, source: WaitSource) {
    super(scope, source);
    this.started();
  }

  wake(): void {
    const { kernel } = this.scope;
    // Where steps are measured or put in another order, it is one of its own.
    if (kernel.stepwise || kernel.beforeStep !== null) return this.settle();
    // The code that is running goes on being the one that the loop waits for.
    const { woken } = kernel;
    this.finish();
    kernel.woken = woken;
  }
}
