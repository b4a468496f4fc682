/** Whose an item is that one task gets for another. */
import {
  createTask,
  Event,
  gather,
  InvalidStateError,
  race,
  run,
  select,
  sleep,
} from "@asyncio/asyncio";
import type { DurableQueue } from "@asyncio/asyncio/durable";
import { assertEquals, assertRejects } from "@std/assert";
import { DATABASES } from "../../platform/limits.ts";
import { withQueue } from "../_support/durable.ts";
import { needs } from "../_support/runtimes.ts";

function test(
  name: string,
  fn: (queue: DurableQueue<string>) => Promise<void>,
): void {
  Deno.test({
    name,
    ...needs(DATABASES),
    fn: () => run(() => withQueue<string>(fn)),
  });
}

/** Counts after what ended in this turn has been given back. */
async function counts(queue: DurableQueue<string>): Promise<string> {
  await sleep(0);
  const { ready, leased } = await queue.statistics();
  return `${ready} ready, ${leased} leased`;
}

const forever = () => new Event().wait();

test("the caller of select() gives the item back when its task ends", async (queue) => {
  await queue.put("a");
  const worker = createTask(async () => {
    const { value } = await select({ job: () => queue.get(), forever });
    await sleep(0);
    assertEquals(await counts(queue), "0 ready, 1 leased");
    return value;
  });
  assertEquals(await worker, "a");
  assertEquals(await counts(queue), "1 ready, 0 leased");
});

test("the caller of select() can give the item back itself", async (queue) => {
  await queue.put("a");
  await select({ job: () => queue.get(), forever });
  await sleep(0);
  await queue.giveBack();
  assertEquals(await counts(queue), "1 ready, 0 leased");
});

test("an iterator that select() moves on ends the item before", async (queue) => {
  for (const item of ["a", "b"]) await queue.put(item);
  queue.shutdown();
  const items = queue[Symbol.asyncIterator]();
  const got: unknown[] = [];
  while (true) {
    const { value: next } = await select({ next: () => items.next(), forever });
    if (next === true || next.done) break;
    await sleep(0);
    got.push(next.value);
  }
  assertEquals(got, ["a", "b"]);
  assertEquals(await counts(queue), "0 ready, 0 leased");
});

test("an item passes through a race in a race", async (queue) => {
  await queue.put("a");
  const item = await race([
    () => race([() => queue.get(), forever]),
    forever,
  ]);
  await sleep(0);
  await queue.taskDone();
  assertEquals([item, await counts(queue)], ["a", "0 ready, 0 leased"]);
});

test("a loser that had got an item gives it back", async (queue) => {
  await queue.put("a");
  const hasItem = new Event();
  const winner = await race([
    async () => {
      const item = await queue.get();
      hasItem.set();
      // It declines to be cancelled, and returns all the same.
      await forever().catch(() => {});
      return item;
    },
    () => hasItem.wait(),
  ]);
  assertEquals(winner, true);
  assertEquals(await counts(queue), "1 ready, 0 leased");
  await assertRejects(() => queue.taskDone(), InvalidStateError);
});

test("a contender that returns something else gives its item back", async (queue) => {
  await queue.put("a");
  await race([async () => (await queue.get()).toUpperCase(), forever]);
  await assertRejects(
    () => queue.taskDone(),
    InvalidStateError,
    "Cannot end a lease as the current task has none",
  );
  assertEquals(await counts(queue), "1 ready, 0 leased");
});

test("a gathering that has failed hands no more items on", async (queue) => {
  for (const item of ["a", "b"]) await queue.put(item);
  const hasBoth = new Event();
  const late = new Event();
  const gathering = gather([
    () => queue.get(),
    async () => {
      const item = await queue.get();
      hasBoth.set();
      await late.wait();
      return item;
    },
    async () => {
      await hasBoth.wait();
      throw new Error("no");
    },
  ]);
  await assertRejects(() => Promise.resolve(gathering), Error, "no");
  late.set();
  await sleep(0);
  // The first is the caller's, the second nobody's.
  assertEquals(await counts(queue), "1 ready, 1 leased");
  await queue.taskDone();
  assertEquals(await queue.get(), "b");
});

test("an item that a task got which was only awaited is back", async (queue) => {
  await queue.put("a");
  assertEquals(await createTask(() => queue.get()), "a");
  await assertRejects(
    () => queue.taskDone(),
    InvalidStateError,
    "what a task of its own has got is given back when that ends",
  );
  assertEquals(await counts(queue), "1 ready, 0 leased");
});
