/** What goes into one transaction of an SQLite queue, and what a cancellation leaves of it. */
import {
  CancelledError,
  createTask,
  gather,
  OSError,
  run,
  sleep,
} from "@asyncio/asyncio";
import { type DurableQueue, openSqliteQueue } from "@asyncio/asyncio/durable";
import { exploreCancellations } from "@asyncio/asyncio/testing";
import {
  assertEquals,
  assertGreater,
  assertLess,
  assertRejects,
} from "@std/assert";
import { DATABASES } from "../../platform/limits.ts";
import { openOnSmallDisk, withPath, withQueue } from "../_support/durable.ts";
import { hasGc, leftBehind } from "../_support/gc.ts";
import { needs } from "../_support/runtimes.ts";

function test(name: string, fn: () => Promise<unknown>): void {
  Deno.test({ name, ...needs(DATABASES), fn: async () => void await fn() });
}

async function counts(queue: DurableQueue<unknown>): Promise<string> {
  const { ready, leased, delayed, dead } = await queue.statistics();
  return `${ready} ready, ${leased} leased, ${delayed} delayed, ${dead} dead`;
}

const EMPTY = "0 ready, 0 leased, 0 delayed, 0 dead";

const HUNDRED = Array.from({ length: 100 }, (_, i) => i);

/** How many transactions `fn` commits on a queue of its own. */
async function countCommits(
  fn: (queue: DurableQueue<number>) => Promise<void>,
): Promise<number> {
  const { DatabaseSync } = await import("node:sqlite");
  const { prepare } = DatabaseSync.prototype;
  let commits = 0;
  DatabaseSync.prototype.prepare = function (sql) {
    const statement = prepare.call(this, sql);
    if (sql !== "COMMIT") return statement;
    const all = statement.all.bind(statement);
    statement.all = () => {
      commits++;
      return all();
    };
    return statement;
  };
  try {
    await withQueue<number>(async (queue) => {
      commits = 0;
      await fn(queue);
    });
    return commits;
  } finally {
    DatabaseSync.prototype.prepare = prepare;
  }
}

test("what a hundred tasks put, get and end in one turn are three transactions", () =>
  run(async () => {
    const commits = await countCommits(async (queue) => {
      await gather(HUNDRED.map((item) => queue.put(item)));
      const got = await gather(HUNDRED.map(() => queue.get()));
      assertEquals(got, HUNDRED);
      await gather(HUNDRED.map(() => queue.taskDone()));
    });
    // And one at the end, of close().
    assertEquals(commits, 4);
  }));

test("for await ends an item and gets the next in one transaction", () =>
  run(async () => {
    const commits = await countCommits(async (queue) => {
      await gather(HUNDRED.map((item) => queue.put(item)));
      queue.shutdown();
      for await (const _ of queue);
    });
    assertEquals(commits, 1 + 1 + 100 + 1);
  }));

test("a bounded queue grants in one transaction what makes room for more", () =>
  run(() =>
    withQueue<number>(async (queue) => {
      const puts = HUNDRED.map((item) => queue.put(item));
      const got = await gather(HUNDRED.map(() => queue.get()));
      await gather(puts);
      assertEquals(got, HUNDRED);
    }, { maxSize: 3 })
  ));

test("an item that does not fit fails alone", () =>
  withPath(async (path) => {
    const queue = await openOnSmallDisk<string>(path);
    const first = queue.put("first");
    const big = queue.put("x".repeat(100_000));
    const last = queue.put("last");
    await first;
    await assertRejects(() => big, OSError, "full");
    await last;
    assertEquals([await queue.get(), await queue.get()], ["first", "last"]);
    await queue.close();
  }));

test("what was not awaited is stored when the queue is closed", () =>
  withPath(async (path) => {
    const queue = await openSqliteQueue<number>(path);
    await queue.put(1);
    await queue.get();
    const done = queue.taskDone();
    const put = queue.put(2);
    await queue.close();
    await done;
    await put;
    const again = await openSqliteQueue<number>(path);
    assertEquals(await counts(again), "1 ready, 0 leased, 0 delayed, 0 dead");
    await again.close();
  }));

test("close() counts no delivery that nobody has got", () =>
  withPath((path) =>
    run(async () => {
      const queue = await openSqliteQueue(path, { maxDeliveries: 1 });
      await queue.put(1);
      const getter = createTask(() => queue.get());
      await sleep(0);
      await queue.close();
      await assertRejects(() => Promise.resolve(getter));
      const again = await openSqliteQueue(path, { maxDeliveries: 1 });
      assertEquals(await counts(again), "1 ready, 0 leased, 0 delayed, 0 dead");
      await again.close();
    })
  ));

Deno.test({
  name: "thousands of jobs leave nothing in memory",
  ...needs(DATABASES, !hasGc),
  fn: () =>
    run(() =>
      withQueue<number>(async (queue) => {
        const round = async () => {
          const items = HUNDRED.slice(0, 10);
          await gather(items.map((item) => queue.put(item)));
          await gather(items.map(() => queue.get()));
          await gather(items.map(() => queue.taskDone()));
        };
        // A single number kept for each of ten jobs would be more.
        assertLess(await leftBehind(round, 80), 80);
      })
    ),
});

test("a queue is used by one loop after another", () =>
  withQueue<number>(async (queue) => {
    await queue.put(1);
    await run(async () => {
      await queue.put(2);
      assertEquals(await queue.get(), 1);
      await queue.taskDone();
    });
    await run(async () => assertEquals(await queue.get(), 2));
    assertEquals(await queue.get(), 2);
    await queue.taskDone();
    assertEquals(await counts(queue), EMPTY);
  }));

test("a cancellation in taskDone() comes at the next wait, and the item is done", () =>
  run(() =>
    withQueue<number>(async (queue) => {
      await queue.put(1);
      const seen: string[] = [];
      const task = createTask(async () => {
        await queue.get();
        const done = queue.taskDone();
        task.cancel();
        await done;
        seen.push("done");
        await sleep(0);
      });
      await assertRejects(() => Promise.resolve(task), CancelledError);
      assertEquals(seen, ["done"]);
      assertEquals(await counts(queue), EMPTY);
    })
  ));

test("a for await that is cancelled has ended the item before", () =>
  run(() =>
    withQueue<number>(async (queue) => {
      await queue.put(1);
      const task = createTask(async () => {
        for await (const _ of queue);
      });
      while ((await queue.statistics()).leased === 0) await sleep(0);
      while ((await queue.statistics()).leased > 0) await sleep(0);
      task.cancel();
      await assertRejects(() => Promise.resolve(task), CancelledError);
      assertEquals(await counts(queue), EMPTY);
      // It may be begun again.
      await queue.put(2);
      for await (const item of queue) {
        assertEquals(item, 2);
        break;
      }
    })
  ));

test("a clock that jumps ends no lease and doubles none", () =>
  run(() =>
    withQueue<number>(async (queue, path) => {
      const other = await openSqliteQueue<number>(path, { leaseMs: 100 });
      await queue.put(1);
      await queue.get();
      const { now } = Date;
      const beats = () => new Promise((resolve) => setTimeout(resolve, 150));
      try {
        for (const jump of [-1e9, 1e9]) {
          Date.now = () => now() + jump;
          await beats();
          const { leased } = await other.statistics();
          assertEquals(leased, 1);
        }
      } finally {
        Date.now = now;
      }
      await queue.taskDone();
      assertEquals(await counts(other), EMPTY);
      await other.close();
    }, { leaseMs: 100 })
  ));

test("no cancellation of a worker loses or keeps an item", async () => {
  const { runs } = await exploreCancellations(() =>
    withQueue<number>(async (queue) => {
      for (const item of [1, 2]) await queue.put(item);
      const done: number[] = [];
      const worker = createTask(async () => {
        for (let i = 0; i < 2; i++) {
          const item = await queue.get();
          await sleep(1);
          await queue.taskDone();
          done.push(item);
        }
      }, { name: "worker" });
      await gather([worker], { returnExceptions: true });
      const { ready, leased } = await queue.statistics();
      assertEquals([ready, leased], [2 - done.length, 0]);
    })
  );
  assertGreater(runs, 5);
});

test("no cancellation of for await loses or keeps an item", async () => {
  const { runs } = await exploreCancellations(() =>
    withQueue<number>(async (queue) => {
      for (const item of [1, 2]) await queue.put(item);
      const worker = createTask(async () => {
        for await (const _ of queue) await sleep(1);
      }, { name: "worker" });
      const other = createTask(async () => {
        for await (const _ of queue) await sleep(1);
      }, { name: "other" });
      await sleep(10);
      queue.shutdown();
      await gather([worker, other], { returnExceptions: true });
      const { ready, leased, dead } = await queue.statistics();
      assertEquals([leased, dead], [0, 0]);
      // What was given back is whole, and can be had again.
      const left: number[] = [];
      for await (const item of queue) left.push(item);
      assertEquals(left.length, ready);
    })
  );
  assertGreater(runs, 5);
});

test("no cancellation of producers loses an item or stores one that it refused", async () => {
  const { runs } = await exploreCancellations(() =>
    withQueue<number>(async (queue) => {
      const stored: number[] = [];
      const producers = [0, 1, 2, 3].map((item) =>
        createTask(async () => {
          await queue.put(item);
          stored.push(item);
        }, { name: `producer ${item}` })
      );
      await sleep(1);
      const got: number[] = [];
      const consumer = createTask(async () => {
        for await (const item of queue) got.push(item);
      }, { name: "consumer" });
      await gather(producers.slice(0, 2), { returnExceptions: true });
      await sleep(10);
      queue.shutdown();
      await gather([...producers, consumer], { returnExceptions: true });
      for await (const item of queue) got.push(item);
      assertEquals(new Set(got), new Set(stored));
    }, { maxSize: 2 })
  );
  assertGreater(runs, 8);
});
