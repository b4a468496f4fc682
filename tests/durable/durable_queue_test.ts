/** What holds for `Queue` and for every durable queue: one list over all. */
import {
  createTask,
  Event,
  gather,
  newEventLoop,
  Queue,
  QueueShutDown,
  race,
  run,
  select,
  sleep,
} from "@asyncio/asyncio";
import type { DurableQueue } from "@asyncio/asyncio/durable";
import { assertEquals, assertRejects } from "@std/assert";
import { DATABASES } from "../../platform/limits.ts";
import { withQueue } from "../_support/durable.ts";
import { NATS, withJetStream } from "../_support/nats.ts";
import { needs } from "../_support/runtimes.ts";

/** What both kinds have, as a worker uses it. */
interface AnyQueue<T> extends AsyncIterable<T> {
  put(item: T): Promise<void>;
  get(): Promise<T>;
  taskDone(): void | Promise<void>;
  join(): Promise<void>;
  shutdown(): void;
}

interface Kind {
  readonly name: string;
  readonly needed: ReturnType<typeof needs>;
  readonly use: (
    maxSize: number,
    fn: (queue: AnyQueue<number>) => Promise<void>,
  ) => Promise<void>;
}

const KINDS: readonly Kind[] = [
  {
    name: "Queue",
    needed: { ignore: false },
    use: (maxSize, fn) => fn(new Queue<number>({ maxSize })),
  },
  {
    name: "SQLite",
    needed: needs(DATABASES),
    use: (maxSize, fn) => withQueue<number>(fn, { maxSize }),
  },
  {
    name: "JetStream",
    needed: NATS,
    use: (maxSize, fn) =>
      withJetStream<number>(({ queue }) => fn(queue), { maxSize }),
  },
];

const PROMISES: Readonly<
  Record<string, (queue: AnyQueue<number>) => Promise<void>>
> = {
  async "get() gives items in the order of put()"(queue) {
    for (const item of [1, 2]) await queue.put(item);
    assertEquals([await queue.get(), await queue.get()], [1, 2]);
  },
  async "get() waits for an item, first come, first served"(queue) {
    const got: string[] = [];
    const tasks = ["a", "b"].map((name) =>
      createTask(async () => {
        got.push(name + await queue.get());
        await queue.taskDone();
      })
    );
    await sleep(0);
    for (const item of [1, 2]) await queue.put(item);
    for (const task of tasks) await task;
    assertEquals(got, ["a1", "b2"]);
  },
  async "put() waits for room"(queue) {
    for (const item of [1, 2]) await queue.put(item);
    const third = createTask(() => queue.put(3));
    await sleep(0);
    assertEquals(third.done(), false);
    assertEquals(await queue.get(), 1);
    await third;
    assertEquals([await queue.get(), await queue.get()], [2, 3]);
  },
  async "a cancelled get() takes no item"(queue) {
    const task = createTask(() => queue.get());
    await sleep(0);
    const put = queue.put(1);
    task.cancel();
    await put;
    await assertRejects(() => Promise.resolve(task));
    assertEquals(await queue.get(), 1);
  },
  async "a cancelled put() puts nothing"(queue) {
    for (const item of [1, 2]) await queue.put(item);
    const task = createTask(() => queue.put(3));
    await sleep(0);
    task.cancel();
    await assertRejects(() => Promise.resolve(task));
    assertEquals([await queue.get(), await queue.get()], [1, 2]);
    await queue.put(4);
    assertEquals(await queue.get(), 4);
  },
  async "join() waits until all is done"(queue) {
    await queue.join();
    await queue.put(1);
    const joiner = createTask(() => queue.join());
    await queue.get();
    await sleep(0);
    assertEquals(joiner.done(), false);
    await queue.taskDone();
    await joiner;
  },
  async "shutdown() ends put() at once and get() when nothing is left"(queue) {
    await queue.put(1);
    queue.shutdown();
    await assertRejects(() => queue.put(2), QueueShutDown);
    assertEquals(await queue.get(), 1);
    await assertRejects(() => queue.get(), QueueShutDown);
  },
  async "shutdown() fails those that wait"(queue) {
    const getter = createTask(() => queue.get());
    await sleep(0);
    queue.shutdown();
    await assertRejects(() => Promise.resolve(getter), QueueShutDown);
  },
  async "for await ends at shutdown()"(queue) {
    for (const item of [1, 2]) await queue.put(item);
    queue.shutdown();
    const items: unknown[] = [];
    for await (const item of queue) items.push(item);
    assertEquals(items, [1, 2]);
  },
  async "what select() gives is done with its caller's taskDone(), once"(
    queue,
  ) {
    const stop = new Event();
    const done: number[] = [];
    const worker = createTask(async () => {
      while (true) {
        // deno-lint-ignore no-await-in-loop -- one after the other
        const next = await select({
          job: () => queue.get(),
          stop: () => stop.wait(),
        });
        if (next.key === "stop") return;
        // deno-lint-ignore no-await-in-loop -- other tasks have their turn
        await sleep(0);
        done.push(next.value);
        // deno-lint-ignore no-await-in-loop -- one after the other
        await queue.taskDone();
      }
    });
    for (const item of [1, 2, 3]) await queue.put(item);
    await queue.join();
    stop.set();
    await worker;
    assertEquals(done, [1, 2, 3]);
  },
  async "what race() and gather() give is done with taskDone()"(queue) {
    for (const item of [1, 2]) await queue.put(item);
    const never = new Event();
    const first = await race([() => queue.get(), () => never.wait()]);
    await queue.taskDone();
    await queue.put(3);
    const others = await gather([() => queue.get(), () => queue.get()]);
    for (const _ of others) await queue.taskDone();
    assertEquals([first, ...others], [1, 2, 3]);
    await queue.join();
  },
  async "taskDone() throws without an item"(queue) {
    await assertRejects(async () => await queue.taskDone());
  },
};

for (const { name, needed, use } of KINDS) {
  for (const [what, fn] of Object.entries(PROMISES)) {
    Deno.test({
      name: `${name}: ${what}`,
      ...needed,
      fn: () => run(() => use(2, fn)),
    });
  }
}

/** Closes a loop in which all of `waiting` wait for something. */
async function leaveWaiting(
  queue: DurableQueue<number>,
  waiting: readonly (() => Promise<unknown>)[],
): Promise<void> {
  const loop = newEventLoop();
  // It tells of each task that it leaves.
  loop.setExceptionHandler(() => {});
  await loop.runUntilComplete(async () => {
    for (const wait of waiting) createTask(wait);
    await sleep(0);
    // Behind what they have asked a server for.
    for (let i = 0; i < 3; i++) await queue.statistics();
  });
  loop.close();
}

for (
  const { name, needed, use } of KINDS.filter(({ name }) => name !== "Queue")
) {
  Deno.test({
    name: `${name}: what waits in a loop that is closed holds up no other loop`,
    ...needed,
    fn: () =>
      use(1, async (any) => {
        const queue = any as DurableQueue<number>;
        await leaveWaiting(queue, [() => queue.get(), () => queue.get()]);
        await run(async () => {
          await queue.put(1);
          assertEquals(await queue.get(), 1);
          await queue.taskDone();
          await queue.join();
          await queue.put(2);
        });
        await leaveWaiting(queue, [
          () => queue.put(3),
          () => queue.put(4),
          () => queue.join(),
        ]);
        await run(async () => {
          const put = createTask(() => queue.put(5));
          const joined = createTask(() => queue.join());
          // A server may have been asked to store what was put before.
          for (let item = 0; item !== 5;) {
            item = await queue.get();
            await queue.taskDone();
          }
          await put;
          await joined;
        });
      }),
  });
}
