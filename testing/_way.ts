/**
 * The way from one end of a connection in memory to the other. What is sent
 * takes its time, and arrives in the order in which it was sent.
 */
import type { Kernel } from "../loop/kernel.ts";
import type { Timer } from "../loop/timer_heap.ts";
import type { Runnable } from "../loop/types.ts";

export class Way {
  readonly #kernel: Kernel;
  readonly #delayOf: (() => number) | null;
  /** When the last one arrives. */
  #last = 0;
  #underWay = 0;

  /** @param delayOf How long the next takes, in milliseconds; null for none. */
  constructor(kernel: Kernel, delayOf: (() => number) | null) {
    this.#kernel = kernel;
    this.#delayOf = delayOf;
  }

  /** Calls `arrive` when it is there. */
  send(arrive: () => void): void {
    const kernel = this.#kernel;
    if (this.#delayOf === null || kernel.closed) return arrive();
    const at = Math.max(this.#last, kernel.now() + this.#delayOf());
    this.#last = at;
    this.#underWay++;
    kernel.addTimer(
      new Transit(kernel, at, () => {
        this.#underWay--;
        arrive();
      }),
    );
  }

  /** Whether something is still to arrive. */
  get isBusy(): boolean {
    return this.#underWay > 0;
  }
}

/** What is under way. */
class Transit implements Timer, Runnable {
  readonly runsCode = false;
  readonly deadline: number;
  readonly order: number;
  heapIndex = -1;
  readonly #kernel: Kernel;
  readonly #arrive: () => void;

  constructor(kernel: Kernel, deadline: number, arrive: () => void) {
    this.#kernel = kernel;
    this.deadline = deadline;
    this.order = kernel.nextTimerOrder();
    this.#arrive = arrive;
  }

  due(): void {
    this.#kernel.push(this);
  }

  run(): void {
    this.#arrive();
  }

  describe(): string {
    return "what is under way in memory";
  }
}
