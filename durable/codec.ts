import { checkFunction } from "../_internal/check.ts";
import { show } from "../_internal/show.ts";

/**
 * How items are stored.
 *
 * @typeParam T What the queue holds.
 */
export interface Codec<T> {
  /**
   * Writes an item.
   *
   * @param item The item.
   * @returns Its bytes.
   */
  encode(item: T): Uint8Array;
  /**
   * Reads an item.
   *
   * @param bytes What `encode` gave.
   * @returns The item.
   */
  decode(bytes: Uint8Array): T;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** JSON: of what it does not know, such as a `Map`, it keeps what it can. */
export const JSON_CODEC: Codec<unknown> = {
  encode(item) {
    let text: string | undefined;
    let cause: unknown;
    try {
      text = JSON.stringify(item);
    } catch (error) {
      cause = error;
    }
    if (text === undefined) {
      throw new TypeError(
        `Cannot put an item into the queue as it must be a value that JSON has: received ${
          show(item)
        }; give the queue a 'codec'`,
        { cause },
      );
    }
    return encoder.encode(text);
  },
  decode: (bytes) => JSON.parse(decoder.decode(bytes)),
};

/**
 * A codec of the user, looked at when the queue is opened and at each item: what
 * is no bytes could be stored, and nobody could read it.
 */
export function checkCodec<T>(action: string, codec: Codec<T>): Codec<T> {
  checkFunction(action, "codec.encode", codec?.encode);
  checkFunction(action, "codec.decode", codec?.decode);
  return {
    encode(item) {
      const bytes: unknown = codec.encode(item);
      if (bytes instanceof Uint8Array) return bytes;
      throw new TypeError(
        `Cannot put an item into the queue as 'codec.encode' must return a Uint8Array: received ${
          show(bytes)
        }`,
      );
    },
    decode: (bytes) => codec.decode(bytes),
  };
}
