/**
 * Times one implementation inside its own process: grow the number of rounds until one sample is long enough, keep
 * going until the warm-up is over, then take samples; one will do where a single round of work takes longer than all of
 * them should. `python/worker.py` does exactly the same.
 */

import type { Work } from "./types.ts";

/** How long one sample lasts, how many are taken, and how long is warmed up before them. */
export interface SampleOptions {
  readonly sampleMs: number;
  readonly samples: number;
  readonly warmUpMs: number;
}

/** Nanoseconds per operation (median of the samples) and the operations in one sample. */
export async function sample(
  work: Work,
  size: number,
  options: SampleOptions,
): Promise<{ ops: number; value: number }> {
  const { sampleMs, samples, warmUpMs } = options;
  let rounds = 1;
  let warm = 0;
  let ms: number;
  for (;;) {
    ms = await time(work, rounds, size);
    warm += ms;
    if (ms >= sampleMs * 0.8) {
      if (warm >= warmUpMs) break;
      continue;
    }
    // Early rounds run uncompiled code, so step up by ten at most rather than trust their speed.
    const wanted = Math.ceil(rounds * sampleMs / Math.max(ms, 0.001));
    rounds = Math.min(rounds * 10, Math.max(rounds + 1, wanted));
  }
  const ops = rounds * size;
  const values: number[] = [];
  const taken = ms > sampleMs * samples ? 1 : samples;
  for (let i = 0; i < taken; i++) {
    values.push(await time(work, rounds, size) * 1e6 / ops);
  }
  const value = median(values);
  if (value < 0.5) {
    throw new Error(`The work was optimised away: ${value} ns per operation`);
  }
  return { ops, value };
}

/** The middle value; the mean of the two middle ones for an even count. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1
    ? upper
    : (upper + (sorted[middle - 1] ?? NaN)) / 2;
}

async function time(work: Work, rounds: number, size: number): Promise<number> {
  const start = performance.now();
  await work(rounds, size);
  return performance.now() - start;
}
