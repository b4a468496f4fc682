/**
 * Bytes that came and were not read yet, kept as the chunks they came in: what
 * is read is a view of a chunk wherever it lies in one.
 *
 * ```text
 *   chunks   [ ...read...|····· ] [ ········ ] [ ··· ]
 *                    ^ position                   ^ end
 * ```
 *
 * Positions count all bytes since the beginning, so they stay what they are
 * when bytes are read. A view is never written to again.
 *
 * | operation    | cost                                                 |
 * | ------------ | ---------------------------------------------------- |
 * | push         | O(1), or the bytes of a chunk that is copied         |
 * | take, skip   | O(1), or the bytes and chunks where they span chunks |
 */
import { freshBytes } from "../_internal/fresh_bytes.ts";
import { GATHERED_BLOCK, SMALL_CHUNK } from "../_internal/constants.ts";

const EMPTY = new Uint8Array(0);

export class ByteBuffer {
  /** How many bytes are in it. */
  size = 0;
  /** Up to `#first` they are read. */
  #chunks: Uint8Array[] = [];
  #first = 0;
  /** Up to here the first chunk is read. */
  #offset = 0;
  #end = 0;
  /** Where small chunks are copied to; the last chunk is a view of it. */
  #block: Uint8Array | null = null;
  /** Whether the block is for what is expected, and all chunks go there. */
  #isExpected = false;

  /** Where the first byte that is not read stands. */
  get position(): number {
    return this.#end - this.size;
  }

  /** Where the next byte that comes will stand. */
  get end(): number {
    return this.#end;
  }

  /**
   * Adds a chunk at the end, which is the buffer's from now on.
   *
   * @returns Whether it was copied to where it was expected, so that its memory
   * is free again.
   */
  push(chunk: Uint8Array): boolean {
    const { length } = chunk;
    const isExpected = this.#isExpected;
    if (isExpected) this.#pushExpected(chunk);
    else if (this.size > 0 && length <= SMALL_CHUNK) this.#gather(chunk);
    else this.#append(chunk);
    this.size += length;
    this.#end += length;
    // Another block, or none, if it did not fit.
    return isExpected && this.#isExpected;
  }

  /**
   * Prepares for a `take` of `count` bytes, more than there are: once much of it
   * is there, what follows is copied to where it will be taken from. A peer that
   * has sent little gets no memory for what it may never send.
   */
  expect(count: number): void {
    const { size } = this;
    if (this.#isExpected || size < LEAST_BEFORE_EXPECTED) return;
    const block = freshBytes(Math.min(count, MOST_EXPECTED * size));
    this.takeInto(block);
    this.#append(view(block, 0, size));
    this.#block = block;
    this.#isExpected = true;
    // Nothing was read of it, after all.
    this.size = size;
  }

  /** Takes out the first `count` bytes, of which there must be as many. */
  take(count: number): Uint8Array {
    const chunk = this.#chunks[this.#first];
    if (chunk === undefined || count === 0) return EMPTY;
    const offset = this.#offset;
    const after = offset + count;
    if (after < chunk.length) {
      this.#offset = after;
      this.size -= count;
      return view(chunk, offset, count);
    }
    if (after === chunk.length) {
      this.size -= count;
      this.#dropFirst();
      return offset === 0 ? chunk : view(chunk, offset, count);
    }
    return this.#join(count);
  }

  /** Takes out as many bytes as there are and `target` has room for. */
  takeInto(target: Uint8Array): number {
    let filled = 0;
    while (filled < target.length && this.size > 0) {
      const chunk = this.#chunks[this.#first]!;
      const room = target.length - filled;
      const length = Math.min(room, chunk.length - this.#offset);
      target.set(view(chunk, this.#offset, length), filled);
      filled += length;
      this.skip(length);
    }
    return filled;
  }

  /** Throws away the first `count` bytes, of which there must be as many. */
  skip(count: number): void {
    this.size -= count;
    let chunk = this.#chunks[this.#first];
    while (chunk !== undefined && count >= chunk.length - this.#offset) {
      count -= chunk.length - this.#offset;
      this.#dropFirst();
      chunk = this.#chunks[this.#first];
    }
    this.#offset += count;
  }

  clear(): void {
    this.skip(this.size);
  }

  /**
   * How many bytes of the first chunk come before its first `byte`; all that
   * it has left if that is not in it.
   */
  countBefore(byte: number): number {
    const chunk = this.#chunks[this.#first];
    if (chunk === undefined) return 0;
    const found = indexOf(chunk, byte, this.#offset);
    return (found < 0 ? chunk.length : found) - this.#offset;
  }

  /** How many bytes of the first chunk are left. */
  get sizeOfFirst(): number {
    const chunk = this.#chunks[this.#first];
    return chunk === undefined ? 0 : chunk.length - this.#offset;
  }

  /**
   * Hands over the bytes from `position` on, chunk by chunk, until `visit` says
   * that it has enough.
   *
   * @param visit Gets a chunk, where in it to begin, and the place of its first
   * byte; gives true to end.
   */
  scan(
    position: number,
    visit: (chunk: Uint8Array, from: number, start: number) => boolean,
  ): void {
    const chunks = this.#chunks;
    // What is new is at the end, so that is where to begin looking.
    let index = chunks.length;
    let start = this.#end;
    while (start > position) start -= chunks[--index]!.length;
    for (let from = position - start; index < chunks.length; index++) {
      const chunk = chunks[index]!;
      if (visit(chunk, from, start)) return;
      start += chunk.length;
      from = 0;
    }
  }

  #dropFirst(): void {
    this.#offset = 0;
    const chunks = this.#chunks;
    if (++this.#first === chunks.length) {
      // Setting the length calls out to the engine, and drops the list's room.
      if (this.#first === 1) chunks.pop();
      else chunks.length = 0;
      this.#first = 0;
      this.#leaveBlock();
    } else if (this.#first >= CHUNKS_LEFT_BEHIND) {
      chunks.splice(0, this.#first);
      this.#first = 0;
    } else chunks[this.#first - 1] = EMPTY;
  }

  #join(count: number): Uint8Array {
    const joined = freshBytes(count);
    let filled = 0;
    while (filled < count) {
      const chunk = this.#chunks[this.#first]!;
      const length = Math.min(count - filled, chunk.length - this.#offset);
      joined.set(view(chunk, this.#offset, length), filled);
      filled += length;
      this.#offset += length;
      if (this.#offset === chunk.length) this.#dropFirst();
    }
    this.size -= count;
    return joined;
  }

  #append(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#leaveBlock();
  }

  #leaveBlock(): void {
    this.#block = null;
    this.#isExpected = false;
  }

  /** Copies a chunk into the block, of which the last chunk is a view. */
  #extend(block: Uint8Array, used: number, chunk: Uint8Array): void {
    block.set(chunk, used);
    const extended = view(block, 0, used + chunk.length);
    if (used === 0) this.#chunks.push(extended);
    else this.#chunks[this.#chunks.length - 1] = extended;
  }

  #pushExpected(chunk: Uint8Array): void {
    const block = this.#block!;
    const used = this.#chunks.at(-1)!.length;
    const room = block.length - used;
    if (chunk.length <= room) return this.#extend(block, used, chunk);
    this.#extend(block, used, view(chunk, 0, room));
    this.#append(view(chunk, room, chunk.length - room));
  }

  /**
   * Copies a small chunk behind the last one: a peer that sends byte by byte
   * must not make each cost an object, nor keep a whole read's memory alive.
   */
  #gather(chunk: Uint8Array): void {
    let block = this.#block;
    let used = block === null ? 0 : this.#chunks.at(-1)!.length;
    if (block === null || used + chunk.length > block.length) {
      block = this.#block = new Uint8Array(GATHERED_BLOCK);
      used = 0;
    }
    this.#extend(block, used, chunk);
  }
}

/** Less is joined when it is taken. */
const LEAST_BEFORE_EXPECTED = 32_768;
/** Memory is prepared for at most that many times what has come. */
const MOST_EXPECTED = 16;

/** How many chunks are read before the list is moved up. */
const CHUNKS_LEFT_BEHIND = 32;

/** `subarray` asks the class which class it makes; this costs half. */
function view(chunk: Uint8Array, offset: number, length: number): Uint8Array {
  return new Uint8Array(chunk.buffer, chunk.byteOffset + offset, length);
}

/** Most lines are short, and calling out to the engine costs as much as they do. */
const LOOK_FIRST = 64;

/** The index of `byte` in `chunk`, at `from` or behind; -1 if it has none. */
export function indexOf(
  chunk: Uint8Array,
  byte: number,
  from: number,
): number {
  const near = Math.min(from + LOOK_FIRST, chunk.length);
  for (let index = from; index < near; index++) {
    if (chunk[index] === byte) return index;
  }
  return near === chunk.length ? -1 : chunk.indexOf(byte, near);
}
