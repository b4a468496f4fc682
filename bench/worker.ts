/**
 * Runs one row on one JavaScript peer and prints one JSON line. A process of its own, so that no peer's garbage,
 * compiled code or timers weigh on another's.
 *
 *     worker.ts ROW PEER SIZE SAMPLE_MS SAMPLES WARM_UP_MS
 *     worker.ts --probe MODULE
 */

import process from "node:process";
import { sample } from "./measure.ts";
import { rows } from "./rows.ts";
import type { WorkerResult } from "./types.ts";

const [first = "", second = "", ...numbers] = process.argv.slice(2);

if (first === "--probe") {
  await import(second);
} else {
  const [size = 0, sampleMs = 0, samples = 0, warmUpMs = 0] = numbers.map(
    Number,
  );
  const result = await measure(first, second, size, {
    sampleMs,
    samples,
    warmUpMs,
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
  const work = await row.peers[peer]?.();
  if (work === undefined) throw new Error(`Row "${id}" has no "${peer}"`);
  await work(Math.min(size, 10_000)); // warm-up
  const values = await work(size);
  return {
    metrics: Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, {
        ops: size,
        value,
      }]),
    ),
  };
}
