/** The bytes of a connection that are read before the host's loop takes a turn. */
const LEAST = 65_536;
/** The same where no other connection reads. It takes less than a millisecond. */
const MOST = 1_048_576;
/** After that many turns in a row in which no other read, no other is active. */
const QUIET_TURNS = 512;

/** Reads of all connections. */
let reads = 0;

/**
 * When a connection whose peer sends without end lets the host's loop take a
 * turn, in which others are served. A turn costs as much as reading some
 * 30 kB, so it is taken less often while no other connection reads anything.
 */
export class Turns {
  #left = LEAST;
  #quiet = 0;
  /** What `reads` is if no other has read since the last turn. */
  #expected = reads;

  /** Counts a read. Returns whether a turn is due before the next one. */
  isDue(bytes: number): boolean {
    reads++;
    this.#expected++;
    this.#left -= bytes;
    return this.#left <= 0;
  }

  /** Call it when the turn is over. */
  taken(): void {
    this.#quiet = reads === this.#expected ? this.#quiet + 1 : 0;
    this.#left = this.#quiet < QUIET_TURNS ? LEAST : MOST;
    this.#expected = reads;
  }
}
