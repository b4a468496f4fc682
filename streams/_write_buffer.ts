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

/** Up to this, copying is cheaper than a system call of its own. */
export const LARGEST_COPIED = 2048;

/** Free buffers of one size. */
class Pool {
  readonly size: number;
  readonly #most: number;
  readonly #free: Uint8Array[] = [];

  /** @param most How many are kept. */
  constructor(size: number, most: number) {
    this.size = size;
    this.#most = most;
  }

  take(): Uint8Array {
    return this.#free.pop() ?? new Uint8Array(this.size);
  }

  giveBack(buffer: Uint8Array): void {
    if (this.#free.length < this.#most) this.#free.push(buffer);
  }
}

/** The first buffer of a write, as most hold one message; 1 MiB is kept. */
const small = new Pool(4096, 256);
/** Those after it, as whoever writes much at once writes more; 2 MiB. */
const large = new Pool(65_536, 32);

function giveBack(buffer: Uint8Array): void {
  (buffer.length === small.size ? small : large).giveBack(buffer);
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

  /** Notes how many bytes the system has; true if it has the whole piece. */
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

  /** The tail, with room for that many bytes. */
  #roomFor(length: number): Uint8Array {
    const tail = this.#tail;
    if (tail !== null && this.#tailUsed + length <= tail.length) return tail;
    const isFirst = this.#segments.size === 0;
    if (tail !== null && isFirst && tail.length === small.size) {
      // More than one message after all: it still goes out in one write.
      const larger = large.take();
      larger.set(tail.subarray(0, this.#tailUsed));
      giveBack(tail);
      return this.#tail = larger;
    }
    this.#seal();
    this.#tailUsed = 0;
    return this.#tail = (isFirst ? small : large).take();
  }

  #seal(): void {
    const tail = this.#tail;
    if (tail === null) return;
    this.#tail = null;
    const bytes = new Uint8Array(tail.buffer, 0, this.#tailUsed);
    this.#segments.push({ bytes, pooled: tail });
  }
}
