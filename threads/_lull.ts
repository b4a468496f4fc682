/**
 * The moment between two jobs, in a worker.
 *
 * An event loop that sleeps is slow to wake: on Linux the one who wakes it holds
 * a lock that it needs, until the other core has been told, and on a virtual
 * machine that takes 100 µs and more. From `Atomics.wait` it is back before
 * that. So where jobs come one right after the other, a worker waits for the
 * next one there, and goes on to its event loop when the message lies ready.
 *
 * Its event loop stands still meanwhile. To what earlier jobs have left running
 * there that is no more than another short job: the wait is short, there is none
 * unless the last job followed on another, and every few milliseconds the event
 * loop has its turn.
 */
import { SENT } from "./_messages.ts";

/** Jobs this close, in milliseconds, come one right after the other. */
const LULL_MS = 1;
/** After so long, in milliseconds, the event loop has its turn. */
const TURN_MS = 5;

export class Lull {
  readonly #shared: Int32Array;
  /** When the last job was over. */
  #jobEnd = -Infinity;
  /** When the event loop had its turn. */
  #turn = 0;
  #isClose = false;
  #hasWaited = false;

  /** @param shared What the worker shares with the thread that started it. */
  constructor(shared: Int32Array) {
    this.#shared = shared;
  }

  /** Called when a job begins. */
  end(): void {
    const now = performance.now();
    this.#isClose = now - this.#jobEnd <= LULL_MS;
    if (!this.#hasWaited) this.#turn = now;
    this.#hasWaited = false;
  }

  /**
   * Called when a job is over, and who asked for it has been told. Waits, at
   * most for a moment, until the next one has been sent.
   *
   * @param number Of the job that is over.
   */
  begin(number: number): void {
    const now = this.#jobEnd = performance.now();
    if (!this.#isClose || now - this.#turn >= TURN_MS) return;
    const outcome = Atomics.wait(this.#shared, SENT, number, LULL_MS);
    // Without a job, it is the event loop that goes on.
    this.#hasWaited = outcome !== "timed-out";
  }
}
