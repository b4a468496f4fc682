import { EndOfChannel } from "../errors.ts";

const END = { done: true, value: undefined } as const;

function toResult<T>(value: T): IteratorYieldResult<T> {
  return { done: false, value };
}

function toEnd(error: unknown): typeof END {
  if (error instanceof EndOfChannel) return END;
  throw error;
}

/** What `receive` gives, until it throws {@linkcode EndOfChannel}. */
export function iterate<T>(
  receive: () => Promise<T>,
): AsyncIterableIterator<T, undefined> {
  return {
    next: () => receive().then(toResult, toEnd),
    return: () => Promise.resolve(END),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
