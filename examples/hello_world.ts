/**
 * Hello World: waits a second and says hello.
 *
 * The first program of the chapter "Hello World": `run` starts the loop, runs
 * one async function in it, and closes the loop when the function is done.
 *
 *     deno task example hello_world
 *
 * prints, after a second,
 *
 *     hello world
 *
 * @module
 */

import { run, sleep } from "@asyncio/asyncio";

async function say(what: string, ms: number): Promise<void> {
  await sleep(ms);
  console.log(what);
}

export async function main(): Promise<void> {
  await say("hello world", 1000);
}

if (import.meta.main) await run(main);
