/**
 * Creating tasks: two greetings at once, the quicker one is heard first.
 *
 * The second program of the chapter "Hello World". Each task runs by itself
 * from the moment it is created, so both together take two seconds, not three.
 *
 *     deno task example create_task
 *
 * prints
 *
 *     second hello
 *     first hello
 *
 * The chapter's program then runs for ever. This one waits for its tasks, and
 * so has an end; `loop_stop` is the one that runs until it is told to stop.
 *
 * @module
 */

import { createTask, run, sleep } from "@asyncio/asyncio";

async function say(what: string, ms: number): Promise<void> {
  await sleep(ms);
  console.log(what);
}

export async function main(): Promise<void> {
  const first = createTask(() => say("first hello", 2000));
  const second = createTask(() => say("second hello", 1000));
  // By now neither has begun: a task starts when its creator waits.
  await first;
  await second;
}

if (import.meta.main) await run(main);
