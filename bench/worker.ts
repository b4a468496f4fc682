/**
 * Runs one row on one JavaScript peer and prints one JSON line. A process of its own, so that no peer's garbage,
 * compiled code or timers weigh on another's.
 *
 *     worker.ts ROW PEER SIZE SAMPLE_MS SAMPLES WARM_UP_MS
 *     worker.ts --probe MODULE
 *     worker.ts --serve PORT STEPS
 */

import process from "node:process";
import { median, sample } from "./measure.ts";
import { rows } from "./rows.ts";
import { serve } from "./rows/workers.ts";
import { Skip } from "./skip.ts";
import type { Measurement, WorkerResult } from "./types.ts";

const [first = "", second = "", ...numbers] = process.argv.slice(2);

if (first === "--probe") {
  await import(second);
} else if (first === "--serve") {
  await serve(Number(second), Number(numbers[0]));
} else {
  const [size = 0, sampleMs = 0, samples = 0, warmUpMs = 0] = numbers.map(
    Number,
  );
  const result = await measure(first, second, size, {
    sampleMs,
    samples,
    warmUpMs,
  }).catch((error): WorkerResult => {
    if (!(error instanceof Skip)) throw error;
    return { metrics: {}, skipped: error.message };
  });
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
// A peer may keep a timer or a scope open; this process has nothing more to do.
process.exit(0);

async function measure(
  id: string,
  peer: string,
  size: number,
  options: { sampleMs: number; samples: number; warmUpMs: number },
): Promise<WorkerResult> {
  const row = rows.find((row) => row.id === id);
  if (row === undefined) throw new Error(`Cannot find row "${id}"`);
  if (row.kind === "timed") {
    const work = await row.peers[peer]?.();
    if (work === undefined) throw new Error(`Row "${id}" has no "${peer}"`);
    return { metrics: { "": await sample(work, size, options) } };
  }
  if (row.kind === "program") throw new Error(`Row "${id}" needs no worker`);
  const work = await row.peers[peer]?.();
  if (work === undefined) throw new Error(`Row "${id}" has no "${peer}"`);
  return { metrics: await repeat(work, size) };
}

/** Warms up, then measures: once if there are many items, and otherwise the median of several times. */
async function repeat(
  work: Measurement,
  size: number,
): Promise<WorkerResult["metrics"]> {
  const warmUp = Math.min(size, 10_000);
  for (let done = 0; done < 50_000; done += warmUp) await work(warmUp);
  const times = Math.min(25, Math.max(1, Math.floor(100_000 / size)));
  const runs: Record<string, number>[] = [];
  for (let run = 0; run < times; run++) runs.push(await work(size));
  return Object.fromEntries(
    Object.keys(runs[0] ?? {}).map((name) => [name, {
      ops: size * times,
      value: median(runs.map((values) => values[name] ?? NaN)),
    }]),
  );
}
