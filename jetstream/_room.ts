/**
 * Whether one more item may be put. The server only limits all that it stores, of
 * which leased items and dead letters are part, so the count is taken first, and
 * the item put on the condition that no other was put since.
 */
import { countsOf, type Server } from "./_server.ts";
import { JOBS } from "./_layout.ts";

export class Room {
  readonly #server: Server;
  readonly #maxSize: number;
  /** The last number in the stream; `null` when it has to be asked for. */
  #lastSeq: number | null = null;
  /** How many there are at most, as some may have been taken since. */
  #count = 0;

  constructor(server: Server, maxSize: number) {
    this.#server = server;
    this.#maxSize = maxSize;
  }

  /** The number after which the next item may come; `null` without room. */
  async next(): Promise<number | null> {
    if (this.#lastSeq !== null && this.#count < this.#maxSize) {
      return this.#lastSeq;
    }
    const info = await this.#server.info();
    // Asked after the other, so that what was put until then can be in it.
    const { num_ack_pending: leased } = await this.#server.consumer(JOBS);
    const { alive } = countsOf(info, this.#server.name);
    this.#lastSeq = info.state.last_seq;
    this.#count = alive - leased;
    return this.#count < this.#maxSize ? this.#lastSeq : null;
  }

  /** An item was put; as `null`, another was, or what is known is too old. */
  changed(seq: number | null): void {
    this.#lastSeq = seq;
    this.#count++;
  }
}
