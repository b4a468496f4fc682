/**
 * Jobs that were sent to a worker and that it has not begun. It takes them one
 * after the other, and until then the thread that sent them can take them back:
 * each has a cell in the shared memory, and whoever empties it has the job.
 */
import { CELLS_FROM } from "./_messages.ts";

/** More than there are jobs sent and not begun, so that one is always free. */
const CELLS = 16;

/** How large the memory is that a worker and its thread share. */
export const SHARED_BYTES: number = (CELLS_FROM + CELLS) *
  Int32Array.BYTES_PER_ELEMENT;

/** No job has this number: it is in the cells that are empty. */
const NONE = 0;

function cellOf(number: number): number {
  return CELLS_FROM + (number & (CELLS - 1));
}

/**
 * Makes an offer of a job that is about to be sent.
 *
 * @param last The number of the job that was sent last.
 * @returns The number of this one.
 */
export function offer(shared: Int32Array, last: number): number {
  let number = last;
  do {
    // As the shared memory counts.
    number = (number + 1) | 0;
  } while (
    number === NONE ||
    Atomics.compareExchange(shared, cellOf(number), NONE, number) !== NONE
  );
  return number;
}

/**
 * Ends an offer, from either side: the worker is to begin the job, or the thread
 * that sent it has it back.
 *
 * @returns Whether there was one still; otherwise the other side has the job.
 */
export function claim(shared: Int32Array, number: number): boolean {
  return Atomics.compareExchange(shared, cellOf(number), number, NONE) ===
    number;
}
