/**
 * Debug mode: five mistakes, and what debug mode says about each.
 *
 * The chapter "Asyncio Debug Mode". Here `run` is asked for it; without a
 * change to the program, `ASYNCIO_DEBUG=1` in the environment does the same.
 *
 *     deno task example debug_mode
 *
 * names each mistake on stdout, and on stderr comes the report: what happened,
 * to which task, and where that was created. The last one comes at the end, as
 * only then it is certain that nobody asks for the error any more.
 *
 * @module
 */

import { checkpoint, createTask, run, sleep } from "@asyncio/asyncio";

/** The others cannot run while this does: no `await`, no turn for them. */
async function blockTheLoop(): Promise<void> {
  await checkpoint();
  const end = performance.now() + 150;
  while (performance.now() < end);
}

/** An empty `catch` takes the cancellation for a failure and goes on. */
async function swallowCancellation(): Promise<void> {
  try {
    await sleep(60_000);
  } catch {
    // Write `if (isCancelledError(error)) throw error;` here.
  }
}

/** Nobody waits for the pause, so it outlives the task that began it. */
async function forgetAwait(): Promise<void> {
  sleep(10);
  await checkpoint();
}

/** A bare promise knows nothing of tasks: cancelling does not end the wait. */
async function waitForForeignPromise(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1200));
}

async function fail(): Promise<never> {
  await checkpoint();
  throw new Error("no such user");
}

export async function main(): Promise<void> {
  console.log("1. a step that blocks the loop");
  await createTask(blockTheLoop, { name: "blocker" });

  console.log("2. a task that swallows its cancellation");
  const swallower = createTask(swallowCancellation, { name: "swallower" });
  await checkpoint();
  swallower.cancel("no longer needed");
  await swallower;

  console.log("3. work that goes on without its task");
  await createTask(forgetAwait, { name: "forgetful" });
  await sleep(20);

  console.log("4. a cancelled task that cannot be interrupted");
  const stuck = createTask(waitForForeignPromise, { name: "stuck" });
  await checkpoint();
  stuck.cancel("no longer needed");
  await stuck.catch(() => {});

  console.log("5. a task that fails, and nobody looks");
  createTask(fail, { name: "loner" });
  await sleep(10);
}

if (import.meta.main) await run(main, { debug: true });
