/**
 * Subprocess command: what two programs print, asked at once.
 *
 * The chapter "Create a subprocess: get the output of a command". Both run side
 * by side, and `gather` gives what they printed in the order asked.
 *
 *     deno task example subprocess_command
 *
 * prints what your system is and the time:
 *
 *     uname: Linux
 *     date: Sun Nov 22 20:00:00 UTC 2026
 *
 * @module
 */

import { createSubprocessExec, gather, PIPE, run } from "@asyncio/asyncio";

async function outputOf(program: string, ...args: string[]): Promise<string> {
  await using process = await createSubprocessExec(program, args, {
    stdout: PIPE,
  });
  const [output] = await process.communicate();
  return new TextDecoder().decode(output).trimEnd();
}

export async function main(): Promise<void> {
  const [system, time] = await gather([
    () => outputOf("uname"),
    () => outputOf("date"),
  ]);
  console.log(`uname: ${system}`);
  console.log(`date: ${time}`);
}

if (import.meta.main) await run(main);
