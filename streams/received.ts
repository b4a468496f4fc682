/**
 * What a reader holds: bytes that came and were not read, and how the stream
 * ended. Each way to take some gives `null` if that has not come yet. Nothing here
 * waits, and nothing knows a loop.
 */
import { show } from "../_internal/show.ts";
import {
  IncompleteReadError,
  InvalidStateError,
  LimitOverrunError,
} from "../errors.ts";
import { ByteBuffer } from "./byte_buffer.ts";
import { Search, Separators } from "./search.ts";

const NOTHING = new Uint8Array(0);
const NEWLINE = new Separators([new Uint8Array([10])]);

/** The end of an iteration. */
export const END: IteratorResult<never, undefined> = {
  done: true,
  value: undefined,
};

/** The value null, of an operation that gives null to wait for more. */
export const NONE: unique symbol = Symbol("none");

export class Received {
  /** How many bytes may come before a separator. */
  readonly limit: number;
  /** Nothing more comes. */
  isEnded = false;
  /** The error the stream ended with. */
  failure: { readonly error: unknown } | null = null;
  readonly #buffer = new ByteBuffer();
  readonly #lines = new Search(NEWLINE);

  constructor(limit: number) {
    this.limit = limit;
  }

  /** How many bytes there are. */
  get size(): number {
    return this.#buffer.size;
  }

  /**
   * Adds bytes.
   *
   * @returns Whether they were copied, so that their memory is free again.
   */
  feed(data: Uint8Array): boolean {
    if (!(data instanceof Uint8Array)) {
      throw new TypeError(
        `Cannot feed a stream reader as 'data' must be a Uint8Array: received ${
          show(data)
        }`,
      );
    }
    if (this.isEnded) {
      throw new InvalidStateError(
        `Cannot feed a stream reader as it was fed its end: received ${data.length} bytes`,
      );
    }
    if (data.length === 0) return true;
    return this.#buffer.push(
      data.constructor === Uint8Array ? data : asBytes(data),
    );
  }

  /** What there is, up to `n` bytes; none at the end. */
  takeSome(n: number): Uint8Array | null {
    const { size } = this.#buffer;
    if (size === 0) return this.isEnded || n === 0 ? NOTHING : null;
    return this.#buffer.take(Math.min(n, size));
  }

  /**
   * Copies what there is, and `target` has room for.
   *
   * @returns How many bytes; at the end {@linkcode NONE}.
   */
  takeInto(target: Uint8Array): number | typeof NONE | null {
    if (target.length === 0) return 0;
    if (this.#buffer.size > 0) return this.#buffer.takeInto(target);
    return this.isEnded ? NONE : null;
  }

  /** All, once the end has come. */
  takeAll(): Uint8Array | null {
    return this.isEnded ? this.#rest() : null;
  }

  /** A piece as it came; none at the end. */
  takeFirst(): Uint8Array | null {
    return this.takeSome(Math.max(1, this.#buffer.sizeOfFirst));
  }

  /** All pieces as they came. */
  takeChunks(): Uint8Array[] {
    const chunks: Uint8Array[] = [];
    while (this.#buffer.size > 0) {
      chunks.push(this.#buffer.take(this.#buffer.sizeOfFirst));
    }
    return chunks;
  }

  /** @throws {IncompleteReadError} When the end has come before; it has the rest. */
  takeExactly(n: number): Uint8Array | null {
    if (this.#buffer.size >= n) return this.#buffer.take(n);
    if (!this.isEnded) {
      this.#buffer.expect(n);
      return null;
    }
    throw new IncompleteReadError(this.#rest(), n);
  }

  /**
   * All up to and with a separator.
   *
   * @throws {IncompleteReadError} When the end has come before; it has the rest.
   * @throws {LimitOverrunError} When more than the limit comes before the
   * separator; it is left here.
   */
  takeUntil(search: Search): Uint8Array | null {
    const buffer = this.#buffer;
    if (search.find(buffer)) {
      const before = search.start - buffer.position;
      if (before > this.limit) {
        throw this.#overrun(before, "a separator after");
      }
      return buffer.take(search.end - buffer.position);
    }
    const passed = buffer.size + 1 - search.separators.longest;
    if (passed > this.limit) throw this.#overrun(passed, "no separator in");
    if (!this.isEnded) return null;
    throw new IncompleteReadError(this.#rest(), null);
  }

  /**
   * A line; at the end what is left.
   *
   * @throws {LimitOverrunError} When it is longer than the limit; what has come of
   * it is thrown away.
   */
  takeLine(): Uint8Array | null {
    const buffer = this.#buffer;
    const lines = this.#lines;
    if (lines.find(buffer)) {
      const before = lines.start - buffer.position;
      if (before <= this.limit) return buffer.take(before + 1);
      buffer.skip(before + 1);
      throw this.#overrun(before, "a line of");
    }
    if (buffer.size > this.limit) {
      throw this.#overrun(this.#rest().length, "a line of at least");
    }
    return this.isEnded ? this.#rest() : null;
  }

  /** The same, for an iterator. */
  takeNext(): IteratorResult<Uint8Array, undefined> | null {
    const value = this.takeLine();
    if (value === null) return null;
    return value.length === 0 ? END : { done: false, value };
  }

  #rest(): Uint8Array {
    return this.#buffer.take(this.#buffer.size);
  }

  #overrun(count: number, what: string): LimitOverrunError {
    return new LimitOverrunError(
      `Cannot read up to a separator as it must come within ${this.limit} bytes: received ${what} ${count} bytes`,
      count,
    );
  }
}

/** A `Buffer` of Node is a Uint8Array with manners of its own. */
function asBytes(data: Uint8Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
