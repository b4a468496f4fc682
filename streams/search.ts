/**
 * Finding separators in bytes that arrive in pieces: the automaton of Aho and
 * Corasick, which looks at each byte once, however the bytes are cut, and stops
 * at the end of the first separator.
 *
 * ```text
 *   separators "\r\n", "\n"      start --\r--> 1 --\n--> "\r\n" or, shorter, "\n"
 *                                  +----\n------------> "\n"
 * ```
 *
 * A state is how much of which separator the bytes so far end with.
 */
import type { ByteBuffer } from "./byte_buffer.ts";
import { indexOf } from "./byte_buffer.ts";

/** What does not change while searching: made once for a set of separators. */
export class Separators {
  /** The length of the longest. */
  readonly longest: number;
  /** Where all begin with the same byte: that byte; otherwise -1. */
  readonly firstByte: number;
  /** For each byte its column; all that no separator has share column 0. */
  readonly columns: Uint16Array = new Uint16Array(256);
  /** The state that follows, by state and column. */
  readonly next: Uint32Array;
  readonly width: number;
  /** The length of the shortest separator a state ends with; 0 for none. */
  readonly ended: Uint32Array;

  /** @param separators At least one, each of at least one byte. */
  constructor(separators: readonly Uint8Array[]) {
    let states = 1;
    let columns = 1;
    let longest = 0;
    for (const separator of separators) {
      states += separator.length;
      longest = Math.max(longest, separator.length);
      for (const byte of separator) {
        if (this.columns[byte] === 0) this.columns[byte] = columns++;
      }
    }
    this.width = columns;
    this.longest = longest;
    const first = separators[0]![0]!;
    this.firstByte = separators.every((each) => each[0] === first) ? first : -1;
    this.next = new Uint32Array(states * columns);
    this.ended = new Uint32Array(states);
    this.#link(this.#grow(separators));
  }

  /** The tree of all separators; gives how many states it has. */
  #grow(separators: readonly Uint8Array[]): number {
    let states = 1;
    for (const separator of separators) {
      let state = 0;
      for (const byte of separator) {
        const edge = state * this.width + this.columns[byte]!;
        if (this.next[edge] === 0) this.next[edge] = states++;
        state = this.next[edge]!;
      }
      this.ended[state] = separator.length;
    }
    return states;
  }

  /** If a state has no edge, the next shorter end that has one goes on. */
  #link(states: number): void {
    const { next, width, ended } = this;
    const shorter = new Uint32Array(states);
    const queue = [0];
    // The queue grows while it is walked: shorter states come before longer.
    for (const state of queue) {
      const fallback = shorter[state]!;
      const length = ended[fallback]!;
      // A separator within the end of another one is the shorter of the two.
      if (length > 0) ended[state] = length;
      for (let column = 0; column < width; column++) {
        const edge = state * width + column;
        const beyond = state === 0 ? 0 : next[fallback * width + column]!;
        if (next[edge] === 0) next[edge] = beyond;
        else {
          shorter[next[edge]!] = beyond;
          queue.push(next[edge]!);
        }
      }
    }
  }
}

/** A search that goes on where it ended when more bytes are there. */
export class Search {
  readonly separators: Separators;
  /** Where the separator that was found begins and ends. */
  start = 0;
  end = 0;
  #found = false;
  /** Up to here no separator ends, but for the one that was found. */
  #seen = 0;
  /** Where the bytes begin that `#state` knows of. */
  #from = 0;
  #state = 0;
  /** Where all it looks for is one byte: that byte; otherwise -1. */
  readonly #byte: number;

  constructor(separators: Separators) {
    this.separators = separators;
    this.#byte = separators.longest === 1 ? separators.firstByte : -1;
  }

  /** Goes on through what is new; tells whether a separator was found. */
  find(buffer: ByteBuffer): boolean {
    const { position } = buffer;
    if (this.#found) {
      // It may have been left in place.
      if (this.start >= position) return true;
      this.#found = false;
    }
    if (this.#from < position) this.#restart(position);
    if (this.#byte >= 0 && this.#seen === position) {
      if (this.#findInFirst(buffer, position)) return true;
    }
    if (this.#seen < buffer.end) buffer.scan(this.#seen, this.#visit);
    return this.#found;
  }

  /** The short way for most lines. */
  #findInFirst(buffer: ByteBuffer, position: number): boolean {
    const count = buffer.countBefore(this.#byte);
    this.#seen = position + count;
    if (count === buffer.sizeOfFirst) return false;
    this.start = this.#seen;
    this.end = ++this.#seen;
    return this.#found = true;
  }

  /** Some of it was read. Of the rest only its end can begin a separator. */
  #restart(position: number): void {
    this.#from = this.#seen = Math.max(
      position,
      this.#seen - this.separators.longest + 1,
    );
    this.#state = 0;
  }

  readonly #visit = (
    chunk: Uint8Array,
    from: number,
    chunkStart: number,
  ): boolean => {
    const { columns, next, width, ended, firstByte } = this.separators;
    let state = this.#state;
    for (let index = from; index < chunk.length; index++) {
      if (state === 0 && firstByte >= 0) {
        index = indexOf(chunk, firstByte, index);
        if (index < 0) break;
      }
      state = next[state * width + columns[chunk[index]!]!]!;
      const length = ended[state]!;
      if (length === 0) continue;
      this.#found = true;
      this.#state = 0;
      this.#seen = this.end = chunkStart + index + 1;
      this.start = this.end - length;
      return true;
    }
    this.#state = state;
    this.#seen = chunkStart + chunk.length;
    return false;
  };
}
