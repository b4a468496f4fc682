/**
 * Subprocess echo: a line to a program and back, then the program is ended.
 *
 * The chapter "Create a subprocess: interact with a subprocess". The pipes of a
 * child are the streams that a connection has. A child that a signal ended has
 * the signal's number as its exit code, as a negative one.
 *
 *     deno task example subprocess_echo
 *
 * prints
 *
 *     Message: "It works!"
 *     Received: "It works!"
 *     Exit code: -15
 *
 * @module
 */

import { createSubprocessExec, PIPE, run } from "@asyncio/asyncio";

export async function main(): Promise<void> {
  await using cat = await createSubprocessExec("cat", [], {
    stdin: PIPE,
    stdout: PIPE,
  });
  const message = "It works!";
  console.log(`Message: ${JSON.stringify(message)}`);
  cat.stdin.write(`${message}\n`);
  const line = new TextDecoder().decode(await cat.stdout.readLine());
  console.log(`Received: ${JSON.stringify(line.trimEnd())}`);
  cat.terminate();
  console.log(`Exit code: ${await cat.wait()}`);
}

if (import.meta.main) await run(main);
