/**
 * Producer and consumer with join: a worker that serves until all is done.
 *
 * The second program of the chapter "Producer/consumer". The worker needs no
 * last item: it says `taskDone()` for each one, `join()` waits until all that
 * were put are done, and then the worker, by now waiting for more, is cancelled.
 *
 *     deno task example producer_consumer_join
 *
 * prints, in an order that differs from run to run,
 *
 *     producing 1/10
 *     producing 2/10
 *     consuming item 1...
 *     …
 *     consuming item 10...
 *     all done
 *
 * @module
 */

import { createTask, Queue, run, sleep } from "@asyncio/asyncio";

/** Stands for real work, such as a request: some time that nobody knows. */
async function work(): Promise<void> {
  await sleep(Math.random() * 200);
}

async function produce(queue: Queue<string>, n: number): Promise<void> {
  for (let x = 1; x <= n; x++) {
    console.log(`producing ${x}/${n}`);
    await work();
    await queue.put(`${x}`);
  }
}

async function consume(queue: Queue<string>): Promise<void> {
  for (;;) {
    const item = await queue.get();
    console.log(`consuming item ${item}...`);
    await work();
    queue.taskDone();
  }
}

export async function main(): Promise<void> {
  const queue = new Queue<string>();
  const consumer = createTask(() => consume(queue));
  await produce(queue, 10);
  await queue.join();
  console.log("all done");
  consumer.cancel();
}

if (import.meta.main) await run(main);
