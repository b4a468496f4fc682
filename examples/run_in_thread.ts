/**
 * Run in a thread: 20,000 digits of π, while the loop goes on.
 *
 * The program of the chapter "Threads". The computation takes one core for a
 * while and never waits. Called as it is, it would hold the loop for that long;
 * `toThread` runs it in a worker, and a task that ticks is not disturbed.
 *
 *     deno task example run_in_thread
 *     deno task example run_in_thread 100000     more digits; Ctrl-C stops it
 *
 * prints
 *
 *     Compute 20000 digits of pi
 *     pi = 3.14159265358979323846…44878140490755178
 *     The loop ticked meanwhile
 *
 * @module
 */

import { argv } from "node:process";
import {
  checkCancelled,
  createTask,
  KeyboardInterrupt,
  run,
  sleep,
  toThread,
} from "@asyncio/asyncio";

/**
 * π to that many digits behind the point, by Machin's formula:
 * π = 16 arccot 5 − 4 arccot 239.
 *
 * It uses nothing from around it, as it goes to the worker by its source.
 */
export function computePi(digits: number): string {
  // The last digits suffer from rounding, so there are some to spare.
  const spare = 10n;
  const one = 10n ** (BigInt(digits) + spare);
  const arccot = (x: bigint): bigint => {
    let power = one / x;
    let sum = power;
    for (let n = 3n, sign = -1n; power > 0n; n += 2n, sign = -sign) {
      checkCancelled();
      power /= x * x;
      sum += sign * (power / n);
    }
    return sum;
  };
  const pi = (16n * arccot(5n) - 4n * arccot(239n)) / 10n ** spare;
  return `3.${pi.toString().slice(1)}`;
}

export async function main(digits: number = 20_000): Promise<string> {
  let ticks = 0;
  const ticker = createTask(async () => {
    for (;; ticks++) await sleep(1);
  });
  console.log(`Compute ${digits} digits of pi`);
  const pi = await toThread(computePi, digits);
  console.log(`pi = ${pi.slice(0, 22)}…${pi.slice(-17)}`);
  console.log(`The loop ${ticks > 0 ? "ticked" : "stood still"} meanwhile`);
  ticker.cancel();
  return pi;
}

if (import.meta.main) {
  try {
    await run(() => main(Number(argv[2] ?? 20_000)));
  } catch (error) {
    if (!(error instanceof KeyboardInterrupt)) throw error;
    console.log("Interrupted");
  }
}
