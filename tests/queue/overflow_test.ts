import {
  createTask,
  LifoQueue,
  PriorityQueue,
  Queue,
  QueueFull,
  QueueShutDown,
} from "@asyncio/asyncio";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { collected, outcomes } from "../_support/outcome.ts";
import { turns, virtual } from "../_support/virtual.ts";

function drained<T>(queue: Queue<T>): T[] {
  const items: T[] = [];
  while (!queue.empty()) items.push(queue.getNowait());
  return items;
}

/** Puts items in the two ways there are. */
async function putAll<T>(queue: Queue<T>, items: Iterable<T>): Promise<void> {
  let isEven = true;
  for (const item of items) {
    if (isEven) await queue.put(item);
    else queue.putNowait(item);
    isEven = !isEven;
  }
}

Deno.test(
  'Queue with "dropOldest" keeps the newest items',
  virtual(async () => {
    const queue = new Queue<string>({ maxSize: 2, overflow: "dropOldest" });
    await putAll(queue, "abcde");
    assertEquals([queue.size, queue.dropped], [2, 3]);
    assertEquals(drained(queue), ["d", "e"]);
  }),
);

Deno.test(
  'Queue with "dropNewest" keeps the oldest items',
  virtual(async () => {
    const queue = new Queue<string>({ maxSize: 2, overflow: "dropNewest" });
    await putAll(queue, "abcde");
    assertEquals([queue.size, queue.dropped], [2, 3]);
    assertEquals(drained(queue), ["a", "b"]);
    await putAll(queue, "f");
    assertEquals(drained(queue), ["f"]);
  }),
);

Deno.test(
  'Queue with "error" refuses an item for which there is no room',
  virtual(async () => {
    const queue = new Queue<string>({ maxSize: 2, overflow: "error" });
    await putAll(queue, "ab");
    await assertRejects(() => queue.put("c"), QueueFull, "is full: received a");
    assertThrows(() => queue.putNowait("c"), QueueFull);
    assertEquals([drained(queue), queue.dropped], [["a", "b"], 0]);
  }),
);

Deno.test(
  "LifoQueue drops the item that was put first, or the new one",
  virtual(async () => {
    const oldest = new LifoQueue<string>({
      maxSize: 2,
      overflow: "dropOldest",
    });
    await putAll(oldest, "abcd");
    assertEquals(drained(oldest), ["d", "c"]);
    const newest = new LifoQueue<string>({
      maxSize: 2,
      overflow: "dropNewest",
    });
    await putAll(newest, "abcd");
    assertEquals(drained(newest), ["b", "a"]);
    const none = new LifoQueue<string>({ maxSize: 2, overflow: "error" });
    await assertRejects(() => putAll(none, "abc"), QueueFull);
    assertEquals(drained(none), ["b", "a"]);
  }),
);

Deno.test(
  "PriorityQueue drops the new item, however urgent, or refuses it",
  virtual(async () => {
    const queue = new PriorityQueue<number>({
      maxSize: 2,
      overflow: "dropNewest",
    });
    await putAll(queue, [3, 2, 1]);
    // One without an order is refused, dropped or not.
    await assertRejects(() => queue.put("x" as never), TypeError);
    assertThrows(() => queue.putNowait(NaN), TypeError);
    assertEquals(queue.dropped, 1);
    assertEquals(drained(queue), [2, 3]);
    const none = new PriorityQueue<number>({ maxSize: 2, overflow: "error" });
    await assertRejects(() => putAll(none, [3, 2, 1]), QueueFull);
    assertEquals(drained(none), [2, 3]);
  }),
);

Deno.test("PriorityQueue has no oldest item to drop", () => {
  assertThrows(
    () => new PriorityQueue<number>({ overflow: "dropOldest" as never }),
    RangeError,
    "Cannot create a priority queue as 'overflow' must be one of wait, dropNewest, error: received \"dropOldest\"",
  );
});

Deno.test("new Queue() refuses an overflow that there is not", () => {
  for (const Class of [Queue, LifoQueue, PriorityQueue]) {
    for (const overflow of ["drop", null, 1]) {
      assertThrows(
        () => new Class({ overflow: overflow as never }),
        RangeError,
        "as 'overflow' must be one of wait, ",
      );
    }
  }
});

Deno.test(
  "Q6 a dropped item counts as done",
  virtual(async () => {
    for (const overflow of ["dropOldest", "dropNewest", "error"] as const) {
      const queue = new Queue<number>({ maxSize: 2, overflow });
      for (let n = 0; n < 5; n++) await queue.put(n).catch(() => {});
      assertEquals(queue.statistics().unfinished, 2);
      const joiner = createTask(() => queue.join());
      await turns(1);
      await queue.put(5).catch(() => {});
      await turns(2);
      assertEquals(joiner.done(), false);
      for (const _ of drained(queue)) queue.taskDone();
      await joiner;
      assertThrows(() => queue.taskDone());
    }
  }),
);

Deno.test(
  "a getter that was promised an item which is dropped gets the next one",
  virtual(async () => {
    const queue = new Queue<number>({ maxSize: 1, overflow: "dropOldest" });
    const tasks = [1, 2].map(() => createTask(() => queue.get()));
    await turns(1);
    for (const n of [1, 2, 3]) queue.putNowait(n);
    assertEquals(await tasks[0], 3);
    queue.putNowait(4);
    assertEquals(await tasks[1], 4);
    assertEquals([queue.dropped, queue.statistics().unfinished], [2, 2]);
  }),
);

Deno.test(
  "a getter that is cancelled leaves a queue that drops within its bound",
  virtual(async () => {
    for (const overflow of ["dropOldest", "dropNewest"] as const) {
      const queue = new Queue<number>({ maxSize: 1, overflow });
      const tasks = [1, 2].map(() => createTask(() => queue.get()));
      await turns(1);
      for (const n of [1, 2]) queue.putNowait(n);
      for (const task of tasks) task.cancel();
      await outcomes(tasks);
      assertEquals(drained(queue), [overflow === "dropOldest" ? 2 : 1]);
    }
  }),
);

Deno.test(
  "a queue that drops is shut down like any other",
  virtual(async () => {
    for (const overflow of ["dropOldest", "dropNewest"] as const) {
      const queue = new Queue<number>({ maxSize: 1, overflow });
      await queue.put(1);
      queue.shutdown();
      await assertRejects(() => queue.put(2), QueueShutDown);
      assertThrows(() => queue.putNowait(2), QueueShutDown);
      assertEquals(await collected(queue), [1]);
    }
  }),
);

Deno.test(
  "without a maxSize nothing is dropped",
  virtual(async () => {
    const queue = new Queue<number>({ overflow: "dropOldest" });
    await putAll(queue, Array.from({ length: 100 }, (_, n) => n));
    assertEquals([queue.size, queue.dropped], [100, 0]);
    assertEquals(`${queue}`, "<Queue size=100 unfinished=100>");
  }),
);

Deno.test("a queue says what it has dropped", () => {
  const queue = new Queue<number>({ maxSize: 1, overflow: "dropOldest" });
  for (const n of [1, 2, 3]) queue.putNowait(n);
  assertEquals(`${queue}`, "<Queue size=1 maxSize=1 unfinished=1 dropped=2>");
});
