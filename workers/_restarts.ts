/**
 * When a worker that has ended is started again, and when that has no sense any
 * more. Knows no process and no clock.
 */

/** A worker that lived longer was well: what ended it counts as new. */
const STABLE_MS = 10_000;
/** Delays double up to here. */
const LONGEST_DELAY_MS = 10_000;
/** Starts in a row that failed, of every worker, after which it is given up. */
const LAST_START = 5;

/** How a worker's life was. */
export interface Life {
  readonly wasReady: boolean;
  readonly ms: number;
}

export class Restarts {
  readonly #firstDelayMs: number;
  /** Early deaths in a row, by worker. */
  readonly #deaths: number[];
  /** Those of them in a row that came before the worker was ready. */
  readonly #failures: number[];
  #anyWasReady = false;

  constructor(workers: number, firstDelayMs: number) {
    this.#firstDelayMs = firstDelayMs;
    this.#deaths = new Array(workers).fill(0);
    this.#failures = new Array(workers).fill(0);
  }

  /**
   * A worker has ended by itself.
   *
   * @param number Which, from 1.
   * @returns After how many milliseconds to start the next one; `null` to give
   * up: every worker dies before it is ready, again and again, or none ever came
   * up. One that was ready has been hit by something that may pass.
   */
  ended(number: number, { wasReady, ms }: Life): number | null {
    if (wasReady) this.#anyWasReady = true;
    const isEarly = !wasReady || ms < STABLE_MS;
    const count = isEarly ? this.#deaths[number - 1]! + 1 : 0;
    this.#deaths[number - 1] = count;
    this.#failures[number - 1] = wasReady ? 0 : this.#failures[number - 1]! + 1;
    const last = this.#anyWasReady ? LAST_START : 1;
    if (this.#failures.every((each) => each >= last)) return null;
    // A delay of 0 stays one, however often 0 is doubled.
    if (count === 0 || this.#firstDelayMs === 0) return 0;
    return Math.min(this.#firstDelayMs * 2 ** (count - 1), LONGEST_DELAY_MS);
  }

  /** A worker is ready. */
  ready(): void {
    this.#anyWasReady = true;
  }
}
