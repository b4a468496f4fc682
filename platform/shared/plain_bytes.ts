/** Without the methods that Node's `Buffer` has in other ways. */
export function plainBytes(data: Uint8Array): Uint8Array {
  return new Uint8Array(
    data.buffer as ArrayBuffer,
    data.byteOffset,
    data.length,
  );
}
