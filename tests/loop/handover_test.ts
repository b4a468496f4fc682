// What is handed from task to task is with exactly one of them, or in its place,
// whenever a cancellation comes: in each step of the loop, and in random programs.
import {
  BoundedSemaphore,
  createTask,
  getRunningLoop,
  isCancelledError,
  LifoQueue,
  Lock,
  moveOnAfter,
  PriorityQueue,
  Queue,
  race,
  select,
  sleep,
  type Task,
  taskGroup,
  timeout,
  TimeoutError,
  waitFor,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertFalse } from "@std/assert";
import { outcome, outcomes } from "../_support/outcome.ts";
import { turns, virtual } from "../_support/virtual.ts";

/** Ways to get an item, from the shortest to those through many promises. */
const WAYS: Record<string, (queue: Queue<number>) => Promise<unknown>> = {
  "get": (queue) => queue.get(),
  "async": async (queue) => await queue.get(),
  "timeout": (queue) => timeout(1000, () => queue.get()),
  "waitFor": (queue) => waitFor(() => queue.get(), 1000),
  "moveOnAfter": (queue) => moveOnAfter(1000, () => queue.get()),
  "taskGroup": (queue) => taskGroup(() => queue.get()),
  "Lock.with": (queue) => new Lock().with(() => queue.get()),
  "race": (queue) => race<unknown>([() => sleep(1000), () => queue.get()]),
  "race in race": (queue) =>
    race<unknown>([
      () => sleep(1000),
      () => race<unknown>([() => sleep(1000), () => queue.get()]),
    ]),
  "timeout of race": (queue) =>
    timeout(1000, () => race<unknown>([() => queue.get(), () => sleep(1000)])),
  "select": async (queue) => {
    const { value } = await select({
      item: () => queue.get(),
      late: () => sleep(1000),
    });
    return value;
  },
  "for await": async (queue) => {
    for await (const item of queue) return item;
    return undefined;
  },
};

/** Cancels `task` from a callback that comes after so many others. */
function cancelAfter(task: Task<unknown>, count: number): void {
  const loop = getRunningLoop();
  loop.callSoon(() => {
    if (count === 0) task.cancel();
    else cancelAfter(task, count - 1);
  });
}

for (const [name, way] of Object.entries(WAYS)) {
  Deno.test(
    `an item on its way through ${name} is got, or is in the queue`,
    virtual(async () => {
      for (const waiting of [true, false]) {
        for (let count = 0; count < 8; count++) {
          const queue = new Queue<number>();
          if (!waiting) queue.putNowait(1);
          const task = createTask(() => way(queue));
          if (waiting) {
            await turns(2);
            queue.putNowait(1);
          }
          cancelAfter(task, count);
          const end = await outcome(task);
          assertEquals(
            [end, queue.size],
            end === 1 ? [1, 0] : ["CancelledError", 1],
            `waiting: ${waiting}, after ${count} steps`,
          );
        }
      }
    }),
  );
}

Deno.test(
  "an item on its way into the queue is there if and only if put() succeeds",
  virtual(async () => {
    for (const waiting of [true, false]) {
      for (let count = 0; count < 8; count++) {
        const queue = new Queue<number>({ maxSize: 1 });
        if (waiting) queue.putNowait(0);
        const task = createTask(async () => await queue.put(1));
        if (waiting) {
          await turns(2);
          queue.getNowait();
        }
        cancelAfter(task, count);
        const end = await outcome(task);
        assertEquals(
          [end, queue.size],
          end === undefined ? [undefined, 1] : ["CancelledError", 0],
        );
      }
    }
  }),
);

Deno.test(
  "a lock on its way is held if and only if acquire() succeeds",
  virtual(async () => {
    for (const waiting of [true, false]) {
      for (let count = 0; count < 8; count++) {
        const lock = new Lock();
        if (waiting) await lock.acquire();
        const task = createTask(async () => await lock.acquire());
        if (waiting) {
          await turns(2);
          lock.release();
        }
        cancelAfter(task, count);
        assertEquals((await outcome(task)) !== "CancelledError", lock.locked());
      }
    }
  }),
);

/** Random numbers that are the same in each run: mulberry32. */
function randomFrom(seed: number): (below: number) => number {
  return (below) => {
    seed = (seed + 0x6D2B79F5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** Lets pass what a random program provokes, and nothing else. */
function ignoreInterruption(error: unknown): void {
  if (isCancelledError(error) || error instanceof TimeoutError) return;
  throw error;
}

async function runQueueProgram(seed: number): Promise<void> {
  const random = randomFrom(seed);
  const Class = [Queue, PriorityQueue, LifoQueue][random(3)]!;
  const queue = new Class<number>({ maxSize: random(4) });
  const put = new Set<number>();
  const got = new Set<number>();
  let next = 0;
  const take = (item: number) => {
    assertFalse(got.has(item), `item ${item} was got twice`);
    got.add(item);
  };
  const steps: (() => Promise<void>)[] = [
    async () => {
      const item = next++;
      await queue.put(item);
      put.add(item);
    },
    async () => {
      const item = next++;
      await timeout(random(4), () => queue.put(item));
      put.add(item);
    },
    async () => take(await queue.get()),
    async () => take(await timeout(random(4), () => queue.get())),
    async () => {
      if (!queue.empty()) take(queue.getNowait());
    },
    async () => {
      if (queue.full()) return;
      put.add(next);
      queue.putNowait(next++);
    },
    () => sleep(random(3)),
  ];
  const bodies = Array.from({ length: 2 + random(6) }, () => async () => {
    for (let count = 3 + random(10); count > 0; count--) {
      await steps[random(steps.length)]!().catch(ignoreInterruption);
      assert(queue.maxSize === 0 || queue.size <= queue.maxSize);
    }
  });
  const tasks = bodies.map((body) => createTask(body));
  for (let count = random(20); count > 0; count--) {
    if (random(2) === 0) await turns(random(6));
    else await sleep(random(3));
    tasks[random(tasks.length)]!.cancel();
  }
  await finish(tasks);
  while (!queue.empty()) take(queue.getNowait());
  const { getters, putters } = queue.statistics();
  assertEquals([getters, putters], [0, 0]);
  assertEquals(
    [...got].toSorted((a, b) => a - b),
    [...put].toSorted((a, b) => a - b),
  );
}

async function runLockProgram(seed: number): Promise<void> {
  const random = randomFrom(seed);
  const permits = 1 + random(3);
  const lock = permits === 1 ? new Lock() : new BoundedSemaphore(permits);
  let inside = 0;
  const visit = async () => {
    using _ = random(2) === 0
      ? await lock.acquire()
      : await timeout(random(4), async () => await lock.acquire());
    assert(++inside <= permits);
    try {
      await sleep(random(3));
    } finally {
      inside--;
    }
  };
  const tasks = Array.from(
    { length: 2 + random(6) },
    () =>
      createTask(async () => {
        for (let count = 1 + random(5); count > 0; count--) {
          await visit().catch(ignoreInterruption);
        }
      }),
  );
  for (let count = random(20); count > 0; count--) {
    if (random(2) === 0) await turns(random(6));
    else await sleep(random(3));
    tasks[random(tasks.length)]!.cancel();
  }
  await finish(tasks);
  assertEquals(inside, 0);
  assertFalse(lock.locked());
  assertEquals(lock.statistics().waiters, 0);
}

/** Cancels the tasks until they have ended: they go on after each error. */
async function finish(tasks: readonly Task<unknown>[]): Promise<void> {
  await sleep(50);
  while (tasks.some((task) => !task.done())) {
    for (const task of tasks) task.cancel();
    await sleep(1);
  }
  for (const end of await outcomes(tasks)) {
    assert(end === undefined || end === "CancelledError", `${end}`);
  }
}

Deno.test(
  "random programs with queues lose no item and double none",
  virtual(async () => {
    for (let seed = 0; seed < 500; seed++) {
      await runQueueProgram(seed).catch((error) => {
        throw new Error(`The program of seed ${seed} failed`, { cause: error });
      });
    }
  }),
);

Deno.test(
  "random programs with locks and semaphores lose no permit and double none",
  virtual(async () => {
    for (let seed = 0; seed < 500; seed++) {
      await runLockProgram(seed).catch((error) => {
        throw new Error(`The program of seed ${seed} failed`, { cause: error });
      });
    }
  }),
);
