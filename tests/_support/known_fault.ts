/** What the programs with a known fault share. */
import { gather, sleep as sleepFor } from "@asyncio/asyncio";

/** How the programs of known faults sleep: a test may have another scheduler. */
let sleeper: (ms: number) => Promise<void> = (ms) => sleepFor(ms);

/** Sleeps, or whatever a test has put in place of that. */
export function sleep(ms: number): Promise<void> {
  return sleeper(ms);
}

/** Has another function sleep while `body` runs. */
export async function sleepingBy<T>(
  other: (ms: number) => Promise<void>,
  body: () => Promise<T>,
): Promise<T> {
  const own = sleeper;
  sleeper = other;
  try {
    return await body();
  } finally {
    sleeper = own;
  }
}

/** A program with a fault that is known, and its mended twin. */
export interface KnownFault {
  /** Fails in some run; its mended twin never does. */
  readonly program: (mended: boolean) => Promise<void>;
  /**
   * The first run that fails, from 1: at random, by priorities, and of all
   * orders; or of the cancellations. Null if none of the first 1,000 does.
   */
  readonly found: readonly (number | null)[];
  /** The same with the scheduler of fast-check. */
  readonly fastCheck?: number | null;
}

/** Runs all at once. */
export async function together(
  ...tasks: (() => Promise<void>)[]
): Promise<void> {
  await gather(tasks);
}

/** `fn`, which begins when the milliseconds are over. */
export function after(
  ms: number,
  fn: () => Promise<void> | void,
): () => Promise<void> {
  return async () => {
    await sleep(ms);
    await fn();
  };
}
