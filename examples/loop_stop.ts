/**
 * Stopping the loop: a loop that runs for ever, and a task that ends it.
 *
 * The third program of the chapter "Hello World". It drives the loop by hand,
 * where most programs leave that to `run`. The loop is stopped after three
 * seconds, before the third greeting's time has come, and closing it tells of
 * the task that is left.
 *
 *     deno task example loop_stop
 *
 * prints
 *
 *     second hello
 *     first hello
 *
 * and on stderr
 *
 *     Task was destroyed but it is pending!
 *     task: <Task pending name="third" waiting for sleep(4000)>
 *
 * `run` would rather have cancelled that task and waited for its end.
 *
 * @module
 */

import {
  type EventLoop,
  getRunningLoop,
  newEventLoop,
  sleep,
} from "@asyncio/asyncio";

async function say(what: string, ms: number): Promise<void> {
  await sleep(ms);
  console.log(what);
}

async function stopAfter(ms: number): Promise<void> {
  await sleep(ms);
  getRunningLoop().stop();
}

export async function main(loop: EventLoop = newEventLoop()): Promise<void> {
  loop.createTask(() => say("first hello", 2000), { name: "first" });
  loop.createTask(() => say("second hello", 1000), { name: "second" });
  loop.createTask(() => say("third hello", 4000), { name: "third" });
  loop.createTask(() => stopAfter(3000), { name: "stopper" });

  await loop.runForever();
  loop.close();
}

if (import.meta.main) await main();
