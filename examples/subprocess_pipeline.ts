/**
 * Subprocess pipeline: lines stream through two programs, for a limited time.
 *
 * One program counts, the other keeps every fifth number, and this one carries
 * the lines between them. When the time is over, or at Ctrl-C, both are asked to
 * end, and no process is left: each has a group of its own (`detached`), so that
 * what the shell has started ends with it.
 *
 *     deno task example subprocess_pipeline            for a second
 *     deno task example subprocess_pipeline --live     until Ctrl-C
 *
 * prints
 *
 *     5
 *     10
 *     15
 *     …
 *     The time is over
 *     The programs ended with -15 and -15
 *
 * @module
 */

import { argv } from "node:process";
import {
  createSubprocessExec,
  createSubprocessShell,
  KeyboardInterrupt,
  PIPE,
  run,
  type StreamReader,
  type StreamWriter,
  taskGroup,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";

const COUNT = "i=0; while sleep 0.02; do i=$((i + 1)); echo $i; done";

/** Carries lines from one program to the next, as fast as that takes them. */
async function carry(from: StreamReader, to: StreamWriter): Promise<void> {
  for await (const line of from) {
    to.write(line);
    await to.drain();
  }
  to.close();
}

async function show(lines: StreamReader): Promise<void> {
  const text = new TextDecoder();
  for await (const line of lines) console.log(text.decode(line).trimEnd());
}

export async function main(ms: number | null = 1000): Promise<void> {
  await using counter = await createSubprocessShell(COUNT, {
    stdout: PIPE,
    detached: true,
  });
  await using filter = await createSubprocessExec(
    "grep",
    ["--line-buffered", "[05]$"],
    { stdin: PIPE, stdout: PIPE, detached: true },
  );
  try {
    await timeout(ms, () =>
      taskGroup((group) => {
        group.createTask(() => carry(counter.stdout, filter.stdin));
        group.createTask(() => show(filter.stdout));
      }));
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    console.log("The time is over");
  } finally {
    const codes = [await counter.stop(), await filter.stop()];
    console.log(`The programs ended with ${codes.join(" and ")}`);
  }
}

if (import.meta.main) {
  try {
    await run(() => main(argv.includes("--live") ? null : 1000));
  } catch (error) {
    if (!(error instanceof KeyboardInterrupt)) throw error;
    console.log("Interrupted");
  }
}
