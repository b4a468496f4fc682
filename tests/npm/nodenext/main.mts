// Node's own rules, from an ES module.
import { createTask, run, sleep, type Task } from "@asyncio/asyncio";
import { CancelledError } from "@asyncio/asyncio/errors";
import type { EventLoop } from "@asyncio/asyncio/loop";
import { Queue } from "@asyncio/asyncio/queue";

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
