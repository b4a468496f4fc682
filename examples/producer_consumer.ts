/**
 * Producer and consumer: two tasks, and a queue between them.
 *
 * The first program of the chapter "Producer/consumer". Each works at its own
 * pace; whoever is ahead waits for the other. A last item of `null` tells the
 * consumer that no more will come.
 *
 *     deno task example producer_consumer
 *
 * prints, in an order that differs from run to run,
 *
 *     producing 1/10
 *     producing 2/10
 *     consuming item 1...
 *     producing 3/10
 *     …
 *     consuming item 10...
 *
 * @module
 */

import { gather, Queue, run, sleep } from "@asyncio/asyncio";

/** Stands for real work, such as a request: some time that nobody knows. */
async function work(): Promise<void> {
  await sleep(Math.random() * 200);
}

async function produce(queue: Queue<string | null>, n: number) {
  for (let x = 1; x <= n; x++) {
    console.log(`producing ${x}/${n}`);
    await work();
    await queue.put(`${x}`);
  }
  await queue.put(null);
}

async function consume(queue: Queue<string | null>) {
  for (;;) {
    const item = await queue.get();
    if (item === null) break;
    console.log(`consuming item ${item}...`);
    await work();
  }
}

export async function main(): Promise<void> {
  const queue = new Queue<string | null>();
  await gather([() => produce(queue, 10), () => consume(queue)]);
}

if (import.meta.main) await run(main);
