/** What `readUntil` takes as separators. */
import { show } from "../_internal/show.ts";
import { Search, Separators } from "./search.ts";

/** Bytes, or the text that they encode in UTF-8. */
export type Separator = Uint8Array | string;

const encoder = new TextEncoder();

/** A search that was made for what a user gave, to be used again for the same. */
export class UserSearch extends Search {
  readonly #separators: readonly Uint8Array[];
  readonly #text: string | null;

  constructor(given: Separator | readonly Separator[]) {
    const separators = toSeparators(given);
    super(new Separators(separators));
    this.#separators = separators;
    this.#text = typeof given === "string" ? given : null;
  }

  isFor(given: Separator | readonly Separator[]): boolean {
    if (typeof given === "string") return given === this.#text;
    const separators = toSeparators(given);
    return separators.length === this.#separators.length &&
      separators.every((each, index) =>
        isEqual(each, this.#separators[index]!)
      );
  }
}

function toSeparators(given: Separator | readonly Separator[]): Uint8Array[] {
  const list = Array.isArray(given) ? given as readonly Separator[] : [given];
  if (list.length === 0) {
    throw new RangeError(
      "Cannot read up to a separator as 'separator' must hold at least one: received an empty array",
    );
  }
  return (list as readonly Separator[]).map(toSeparator);
}

function toSeparator(given: Separator): Uint8Array {
  if (typeof given !== "string" && !(given instanceof Uint8Array)) {
    throw new TypeError(
      `Cannot read up to a separator as 'separator' must be a Uint8Array or a string: received ${
        show(given)
      }`,
    );
  }
  if (given.length === 0) {
    throw new RangeError(
      "Cannot read up to a separator as 'separator' must have at least one byte: received an empty one",
    );
  }
  // A copy: the caller may change the bytes.
  return typeof given === "string"
    ? encoder.encode(given)
    : new Uint8Array(given);
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
