/**
 * Hello Clock: two tasks keep time side by side for ten minutes.
 *
 * The chapter "Hello Clock": one task prints every second, the other every
 * minute, and neither knows of the other. `gather` runs both.
 *
 *     deno task example hello_clock            told at once, in virtual time
 *     deno task example hello_clock --live     ten minutes by your watch
 *
 * prints 600 seconds and, among them, ten minutes:
 *
 *     00:00
 *     00:01
 *     …
 *     00:59
 *     1 minute
 *     01:00
 *     …
 *     09:59
 *     10 minutes
 *
 * Virtual time is a clock that jumps to the next timer whenever all tasks wait.
 * Tests of code that waits are quick and always the same with it.
 *
 * @module
 */

import { gather, run, runVirtual, sleep } from "@asyncio/asyncio";

const MINUTES = 10;

async function printEverySecond(): Promise<void> {
  for (let second = 0; second < MINUTES * 60; second++) {
    const parts = [Math.floor(second / 60), second % 60];
    console.log(parts.map((part) => `${part}`.padStart(2, "0")).join(":"));
    await sleep(1000);
  }
}

async function printEveryMinute(): Promise<void> {
  for (let minute = 1; minute <= MINUTES; minute++) {
    await sleep(60_000);
    console.log(minute === 1 ? "1 minute" : `${minute} minutes`);
  }
}

export async function main(): Promise<void> {
  await gather([printEverySecond, printEveryMinute]);
}

if (import.meta.main) {
  const live = Deno.args.includes("--live");
  await (live ? run(main) : runVirtual(main));
}
