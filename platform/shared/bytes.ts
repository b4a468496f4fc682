/**
 * What the host has read, as plain bytes, and copies of small messages. Memory
 * outside of the engine's heap costs much to get and to give back, so copies
 * share pieces of it, as Node's buffers do.
 */

/** Larger ones get memory of their own. */
const LARGEST_SHARED = 4096;
/** As much may be kept alive by who keeps a single byte. */
const PIECE = 32_768;

let piece = new Uint8Array(0);
let used = 0;

/** A copy of the first `count` bytes, which nothing else writes to. */
export function copyOf(bytes: Uint8Array, count: number): Uint8Array {
  if (count > LARGEST_SHARED) return bytes.slice(0, count);
  if (used + count > piece.length) {
    piece = new Uint8Array(PIECE);
    used = 0;
  }
  // `subarray` asks the class which class it makes; this costs half.
  piece.set(new Uint8Array(bytes.buffer, bytes.byteOffset, count), used);
  const copy = new Uint8Array(piece.buffer, used, count);
  used += count;
  return copy;
}

/** Without the methods that Node's `Buffer` has in other ways. */
export function plainBytes(data: Uint8Array): Uint8Array {
  return new Uint8Array(
    data.buffer as ArrayBuffer,
    data.byteOffset,
    data.length,
  );
}
