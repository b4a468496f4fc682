/**
 * What is to be written. Small pieces are copied together, into a buffer that
 * all connections take from one pool, so that many small writes cost one system
 * call and no array each; large pieces are kept as they are.
 *
 * ```text
 *   segments:  [ 64 KiB by reference ] [ 3 small ones | free ]
 *                 ^ being written          ^ the tail
 * ```
 */
import { RingBuffer } from "../_internal/ring_buffer.ts";

/** The first buffer of a write: most hold one message. */
const SMALL = 4096;
/** Those after it: whoever writes much at once writes more. */
const LARGE = 65_536;
/** Up to this, copying is cheaper than a system call of its own. */
const LARGEST_COPIED = 2048;
/** How many free buffers are kept of each size: 1 MiB, and 2 MiB. */
const LARGEST_POOLS = { [SMALL]: 256, [LARGE]: 32 };

const pools = { [SMALL]: [] as Uint8Array[], [LARGE]: [] as Uint8Array[] };

function take(size: typeof SMALL | typeof LARGE): Uint8Array {
  return pools[size].pop() ?? new Uint8Array(size);
}

function giveBack(buffer: Uint8Array): void {
  const size = buffer.length as typeof SMALL | typeof LARGE;
  const pool = pools[size];
  if (pool.length < LARGEST_POOLS[size]) pool.push(buffer);
}

interface Segment {
  bytes: Uint8Array;
  readonly pooled: Uint8Array | null;
}

export class WriteBuffer {
  /** Bytes that were added and are not with the system. */
  size = 0;
  readonly #segments = new RingBuffer<Segment>();
  #tail: Uint8Array | null = null;
  #tailUsed = 0;
  #writing: Segment | null = null;

  get isWriting(): boolean {
    return this.#writing !== null;
  }

  add(data: Uint8Array): void {
    const { length } = data;
    this.size += length;
    if (length > LARGEST_COPIED) {
      this.#seal();
      this.#segments.push({ bytes: data, pooled: null });
      return;
    }
    const tail = this.#roomFor(length);
    tail.set(data, this.#tailUsed);
    this.#tailUsed += length;
  }

  /** The next piece to write; call {@linkcode written} for it. */
  next(): Uint8Array | null {
    if (this.#segments.size === 0) this.#seal();
    const segment = this.#segments.shift() ?? null;
    this.#writing = segment;
    return segment === null ? null : segment.bytes;
  }

  /** So many bytes are with the system; true where the piece is. */
  written(count: number): boolean {
    this.size -= count;
    const segment = this.#writing;
    if (segment === null) return true;
    if (count < segment.bytes.length) {
      segment.bytes = segment.bytes.subarray(count);
      return false;
    }
    this.#writing = null;
    if (segment.pooled !== null) giveBack(segment.pooled);
    return true;
  }

  /** Forgets all; what is being written stays with the host. */
  clear(): void {
    this.size = 0;
    this.#writing = null;
    this.#tail = null;
    this.#segments.clear();
  }

  /** The tail, with room for so many bytes. */
  #roomFor(length: number): Uint8Array {
    const tail = this.#tail;
    if (tail !== null && this.#tailUsed + length <= tail.length) return tail;
    const isFirst = this.#segments.size === 0;
    if (tail !== null && isFirst && tail.length === SMALL) {
      // More than one message after all: it still goes out in one write.
      const larger = take(LARGE);
      larger.set(tail.subarray(0, this.#tailUsed));
      giveBack(tail);
      return this.#tail = larger;
    }
    this.#seal();
    this.#tailUsed = 0;
    return this.#tail = take(isFirst ? SMALL : LARGE);
  }

  #seal(): void {
    const tail = this.#tail;
    if (tail === null) return;
    this.#tail = null;
    const bytes = new Uint8Array(tail.buffer, 0, this.#tailUsed);
    this.#segments.push({ bytes, pooled: tail });
  }
}
