// Node's own rules, from an ES module.
import { createTask, run, sleep, type Task } from "@asyncio/asyncio";
import { CancelledError } from "@asyncio/asyncio/errors";
import type { EventLoop } from "@asyncio/asyncio/loop";
import { Queue } from "@asyncio/asyncio/queue";
import { toThread, WorkerPoolExecutor } from "@asyncio/asyncio/threads";

const queue = new Queue<string>({ maxSize: 1 });

const count: number = await run(async () => {
  const task: Task<number> = createTask(async () => {
    await sleep(1);
    await queue.put("item");
    return 1;
  });
  const item: string = await queue.get();
  return item.length + await task;
});

// @ts-expect-error A queue of texts takes no numbers.
await queue.put(count);

export function isCancelled(loop: EventLoop, error: unknown): boolean {
  return loop.isClosed() && error instanceof CancelledError;
}

interface Work {
  double(n: number): Promise<number>;
}

const work = new WorkerPoolExecutor().module<Work>("work");
export const doubled: number = await work.double(2) +
  await toThread((n: number) => n, 2);

// @ts-expect-error It takes a number.
work.double("2");
