import { callFromLoop } from "../loop/current.ts";
import type { Kernel } from "../loop/kernel.ts";
import type { Timer } from "../loop/timer_heap.ts";
import type { Runnable } from "../loop/types.ts";

/**
 * Something that happens on a simulated network at its time, such as that a
 * packet arrives. It is no host's: it happens also if its sender has crashed.
 */
export class Happening implements Timer, Runnable {
  readonly runsCode = true;
  readonly mayMove = true;
  readonly mayComeLater = true;
  readonly deadline: number;
  readonly order: number;
  heapIndex = -1;
  readonly #kernel: Kernel;
  #happen: (() => void) | null;

  constructor(kernel: Kernel, ms: number, happen: () => void) {
    this.#kernel = kernel;
    this.deadline = kernel.now() + ms;
    this.order = kernel.nextTimerOrder();
    this.#happen = happen;
    // In a loop that is closed nothing happens any more.
    if (!kernel.closed) kernel.addTimer(this);
  }

  cancel(): void {
    this.#happen = null;
    this.#kernel.removeTimer(this);
  }

  due(): void {
    this.#kernel.push(this);
  }

  run(): void {
    const happen = this.#happen;
    this.#happen = null;
    if (happen !== null) callFromLoop(this.#kernel, call, happen);
  }

  describe(): string {
    return "something on the simulated network";
  }
}

function call(happen: () => void): void {
  happen();
}
