/** An array of that many bytes brings along an array of the slots below, 16 KiB. */
const BYTES_A_FILLER = 65_536;
const SLOTS_A_FILLER = 2048;

/** Kept until the next one, as the engine leaves out what nobody keeps. */
const kept: { filler: unknown[] } = { filler: [] };

/**
 * Memory for what is read, which belongs to who gets it.
 *
 * V8 counts the memory of arrays of bytes apart from its heap. Once some 32 MB
 * of it are new, it marks the whole heap, which costs more than reading them
 * did. A collection of young objects alone frees the same memory in a fraction
 * of a millisecond, but comes only when the heap has filled with young objects,
 * and whoever reads in bulk makes few. So large arrays bring some along: 1 µs
 * for 64 KiB. Where the young generation has grown large, as in a program that
 * keeps much of what it makes, this changes nothing.
 */
export function freshBytes(size: number): Uint8Array<ArrayBuffer> {
  for (let left = size; left >= BYTES_A_FILLER; left -= BYTES_A_FILLER) {
    kept.filler = new Array(SLOTS_A_FILLER);
  }
  return new Uint8Array(size);
}
