import {
  allTasks,
  captureCallGraph,
  ContextVar,
  createTask,
  currentTask,
  Event,
  gather,
  InvalidStateError,
  isCancelledError,
  moveOnAfter,
  pooledMap,
  Queue,
  run,
  runVirtual,
  sleep,
  type Task,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";
import { exploreSchedules } from "@asyncio/asyncio/testing";
import { AsyncLocalStorage } from "node:async_hooks";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { makeRandom } from "../../_internal/random.ts";
import { outcome } from "../_support/outcome.ts";
import {
  collectReports,
  countingSignal,
  deferred,
  now,
  turns,
  virtual,
} from "../_support/virtual.ts";

async function collect<T>(results: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const result of results) all.push(result);
  return all;
}

/** A source that tells what was taken of it, and that it was closed. */
function* counted(count: number, log: string[]): Generator<number> {
  try {
    for (let n = 0; n < count; n++) {
      log.push(`take ${n}`);
      yield n;
    }
  } finally {
    log.push("closed");
  }
}

/** The same as an async iterable that takes its time. */
async function* slowly(
  count: number,
  log: string[],
  ms = 1,
): AsyncGenerator<number> {
  try {
    for (let n = 0; n < count; n++) {
      await sleep(ms);
      log.push(`take ${n}`);
      yield n;
    }
  } finally {
    await sleep(1);
    log.push("closed");
  }
}

/** A function for items that take so long each, and what it did. */
function worker(log: string[], ms: (item: number) => number) {
  return async (item: number) => {
    try {
      await sleep(ms(item));
      return item;
    } catch (error) {
      await sleep(1);
      log.push(`cancelled ${item}`);
      throw error;
    }
  };
}

for (const ordered of [true, false]) {
  const order = ordered ? "in order" : "as they are there";
  Deno.test(
    `pooledMap() gives all results ${order}`,
    virtual(async () => {
      const results = pooledMap([30, 10, 20, 5], (ms) => sleep(ms, ms), {
        limit: 2,
        ordered,
      });
      assertEquals(
        await collect(results),
        ordered ? [30, 10, 20, 5] : [10, 30, 20, 5],
      );
      // In order, the second result keeps its place until the first is there.
      assertEquals(now(), ordered ? 50 : 35);
      assertEquals(await results.next(), { done: true, value: undefined });
    }),
  );

  Deno.test(`pooledMap() ${order} runs and keeps no more than its limit`, async () => {
    for (let seed = 0; seed < 30; seed++) {
      const random = makeRandom(seed);
      const limit = 1 + random(6);
      const count = random(40);
      await runVirtual(async () => {
        let taken = 0;
        let given = 0;
        let running = 0;
        function* source() {
          for (; taken < count; taken++) {
            // One more is on its way to the consumer.
            assert(taken - given <= limit, "taken without room");
            yield taken;
          }
        }
        const fn = async (item: number, index: number) => {
          assertEquals(item, index);
          running++;
          assert(running <= limit);
          await sleep(random(10));
          running--;
          return item;
        };
        const all: number[] = [];
        for await (const item of pooledMap(source(), fn, { limit, ordered })) {
          given++;
          all.push(item);
          if (random(2) === 0) await sleep(random(20));
          assert(taken - given <= limit, "more than it may keep");
        }
        if (!ordered) all.sort((a, b) => a - b);
        assertEquals(all, Array.from({ length: count }, (_, n) => n));
        assertEquals([running, allTasks().size], [0, 1]);
      });
    }
  });

  Deno.test(
    `leaving a pooledMap() ${order} cancels and awaits what runs, and closes the source`,
    virtual(async () => {
      const log: string[] = [];
      const fn = worker(log, (item) => item === 0 ? 1 : 100);
      for await (
        const item of pooledMap(counted(99, log), fn, { limit: 3, ordered })
      ) {
        assertEquals(item, 0);
        log.push("left");
        break;
      }
      assertEquals(log.slice(0, 3), ["take 0", "take 1", "take 2"]);
      assertEquals(log.at(-1), "closed");
      // Item 3 had the place of item 0 by then.
      assertEquals(
        log.filter((line) => line.startsWith("cancelled")).sort(),
        ["cancelled 1", "cancelled 2", "cancelled 3"],
      );
      assertEquals([now(), allTasks().size], [2, 1]);
    }),
  );
}

Deno.test(
  "a pooledMap() that is left by an error throws that error",
  virtual(async () => {
    const log: string[] = [];
    const fn = worker(log, (item) => item === 0 ? 1 : 100);
    await assertRejects(
      async () => {
        for await (const _ of pooledMap(slowly(9, log), fn, { limit: 2 })) {
          throw new Error("of the body");
        }
      },
      Error,
      "of the body",
    );
    assertEquals(log.slice(-2).sort(), ["cancelled 1", "closed"]);
    assertEquals(allTasks().size, 1);
  }),
);

Deno.test(
  "the first error is thrown where the consumer is, and cancels the rest before",
  virtual(async () => {
    const log: string[] = [];
    const failure = new Error("no route");
    const fn = async (item: number) => {
      if (item === 2) {
        await sleep(5);
        throw failure;
      }
      return await worker(log, () => 100)(item);
    };
    const results = pooledMap(counted(9, log), fn, { limit: 3 });
    const error = await assertRejects(() => collect(results));
    assertStrictEquals(error, failure);
    assertEquals(log, [
      "take 0",
      "take 1",
      "take 2",
      "cancelled 0",
      "cancelled 1",
      "closed",
    ]);
    assertEquals([now(), allTasks().size], [6, 1]);
    assertEquals(await results.next(), { done: true, value: undefined });
  }),
);

Deno.test(
  "an error is not kept back behind results that are there",
  virtual(async () => {
    const results = pooledMap([1, 2, 3], (item) => {
      if (item === 3) throw new Error("third");
      return item;
    }, { limit: 3 });
    assertEquals((await results.next()).value, 1);
    await sleep(1);
    await assertRejects(() => results.next(), Error, "third");
  }),
);

Deno.test(
  "an error that comes while the consumer is elsewhere is thrown by the next call, or the leaving",
  virtual(async () => {
    for (const leave of [false, true]) {
      const results = pooledMap([1, 2], async (item) => {
        await sleep(item);
        if (item === 2) throw new Error("second");
        return item;
      }, { limit: 2 });
      assertEquals((await results.next()).value, 1);
      await sleep(10);
      await assertRejects(
        () => leave ? results.return!() : results.next(),
        Error,
        "second",
      );
      assertEquals((await results.next()).done, true);
    }
  }),
);

Deno.test(
  "further errors are reported",
  virtual(async () => {
    const reports = collectReports();
    const results = pooledMap([1, 2, 3], async (item) => {
      await sleep(item === 1 ? 1 : 100).catch(() => {});
      throw new Error(`${item}`);
    }, { limit: 3 });
    await assertRejects(() => collect(results), Error, "1");
    assertEquals(
      reports.map(({ message, error }) => [message, (error as Error).message]),
      [
        ["An error in pooledMap() that its consumer is not told", "2"],
        ["An error in pooledMap() that its consumer is not told", "3"],
      ],
    );
  }),
);

Deno.test(
  "the cancellation of the consumer cancels what runs, and waits for it",
  virtual(async () => {
    const log: string[] = [];
    const task = createTask(async () => {
      const fn = worker(log, () => 100);
      await collect(pooledMap(slowly(9, log), fn, { limit: 2 }));
    });
    await sleep(10);
    task.cancel("enough");
    task.cancel("more than enough");
    await sleep(1);
    task.cancel("and again");
    assertEquals(await outcome(task), "CancelledError");
    assertEquals(log.slice(-3).sort(), [
      "cancelled 0",
      "cancelled 1",
      "closed",
    ]);
    assertEquals(log.at(-1), "closed");
    assertEquals(allTasks().size, 1);
  }),
);

Deno.test(
  "an item that declines to be cancelled is waited for, and none follows it",
  virtual(async () => {
    let begun = 0;
    const task = createTask(() =>
      collect(pooledMap(counted(9, []), async () => {
        begun++;
        await sleep(100).catch(() => currentTask()!.uncancel());
        await sleep(5);
      }, { limit: 2 }))
    );
    await sleep(1);
    task.cancel();
    assertEquals(await outcome(task), "CancelledError");
    assertEquals([begun, now(), allTasks().size], [2, 6, 1]);
  }),
);

Deno.test(
  "an error beside the consumer's cancellation is reported",
  virtual(async () => {
    const reports = collectReports();
    const fn = async () => {
      await sleep(100).catch(() => {});
      throw new Error("in the clean-up");
    };
    const ended = await moveOnAfter(
      5,
      () => collect(pooledMap([1], fn, { limit: 1 })),
    );
    assertEquals(ended, undefined);
    assertEquals(reports.map(({ error }) => (error as Error).message), [
      "in the clean-up",
    ]);
  }),
);

Deno.test(
  "a timeout around one step ends the whole",
  virtual(async () => {
    const results = pooledMap([1, 2], () => sleep(100), { limit: 1 });
    await assertRejects(() => timeout(5, () => results.next()), TimeoutError);
    assertEquals((await results.next()).done, true);
    assertEquals(allTasks().size, 1);
  }),
);

Deno.test(
  "a consumer that was cancelled before it asks takes nothing of the source",
  virtual(async () => {
    const log: string[] = [];
    const task = createTask(async () => {
      currentTask()!.cancel();
      await collect(pooledMap(counted(3, log), (item) => item, { limit: 2 }));
    });
    assertEquals(await outcome(task), "CancelledError");
    assertEquals(log, []);
  }),
);

Deno.test(
  "nothing is taken before the first result is asked for, nor if it never is",
  virtual(async () => {
    const log: string[] = [];
    const results = pooledMap(counted(3, log), (item) => item, { limit: 2 });
    await turns(5);
    assertEquals(log, []);
    await results.return!();
    assertEquals((await results.next()).done, true);
    assertEquals(log, []);
  }),
);

Deno.test(
  "an error of the source is thrown, and the source not closed again",
  virtual(async () => {
    const log: string[] = [];
    for (const isAsync of [false, true]) {
      const failing = {
        next(): never {
          throw new Error("of the source");
        },
        return() {
          log.push("closed");
          return { done: true as const, value: undefined };
        },
      };
      const source = isAsync
        ? { [Symbol.asyncIterator]: () => failing as never }
        : { [Symbol.iterator]: () => failing as never };
      await assertRejects(
        () =>
          collect(
            pooledMap<number, number>(source as never, (n) => n, { limit: 2 }),
          ),
        Error,
        "of the source",
      );
    }
    assertEquals(log, []);
  }),
);

Deno.test(
  "an error of closing the source is thrown to one that leaves",
  virtual(async () => {
    async function* source() {
      try {
        yield 1;
        yield 2;
      } finally {
        await Promise.reject(new Error("cannot close"));
      }
    }
    await assertRejects(
      async () => {
        for await (const _ of pooledMap(source(), (n) => n, { limit: 1 })) {
          break;
        }
      },
      Error,
      "cannot close",
    );
  }),
);

Deno.test(
  "an async source is asked for one item at a time",
  virtual(async () => {
    let asked = 0;
    let n = 0;
    const source = {
      [Symbol.asyncIterator]: () => ({
        async next() {
          assertEquals(asked++, 0);
          await sleep(1);
          asked--;
          return n < 10
            ? { done: false as const, value: n++ }
            : { done: true as const, value: undefined };
        },
      }),
    };
    const all = await collect(
      pooledMap(source, (n) => sleep(10, n), { limit: 4 }),
    );
    assertEquals(all, Array.from({ length: 10 }, (_, n) => n));
  }),
);

Deno.test(
  "a source that waits for a queue gives back what it has not taken",
  virtual(async () => {
    const queue = new Queue<number>();
    const source = async function* () {
      while (true) yield await queue.get();
    };
    const results = pooledMap(source(), (n) => n, { limit: 3 });
    await queue.put(1);
    assertEquals((await results.next()).value, 1);
    await results.return!();
    await queue.put(2);
    assertEquals(queue.size, 1);
  }),
);

Deno.test(
  "a source that waits for nothing of ours is told to end, and so is back",
  virtual(async () => {
    const { promise, resolve } = deferred<IteratorResult<number>>();
    let first = true;
    const source = {
      [Symbol.asyncIterator]: () => ({
        next() {
          if (!first) return promise;
          first = false;
          return Promise.resolve({ done: false as const, value: 1 });
        },
        return() {
          const end = { done: true as const, value: undefined };
          resolve(end);
          return Promise.resolve(end);
        },
      }),
    };
    for await (const item of pooledMap(source, (n) => n, { limit: 2 })) {
      assertEquals(item, 1);
      await turns(3);
      break;
    }
    assertEquals(allTasks().size, 1);
  }),
);

Deno.test(
  "one pooledMap() may be the source of another",
  virtual(async () => {
    const log: string[] = [];
    const inner = pooledMap(counted(50, log), (n) => sleep(n % 3, n), {
      limit: 5,
    });
    const outer = pooledMap(inner, (n) => sleep(n % 5, n * 2), { limit: 3 });
    const all: number[] = [];
    for await (const n of outer) {
      all.push(n);
      if (all.length === 20) break;
    }
    assertEquals(all, Array.from({ length: 20 }, (_, n) => n * 2));
    assertEquals(log.at(-1), "closed");
    assertEquals(allTasks().size, 1);
  }),
);

Deno.test(
  "several that ask for results at a time get one each, and then the end",
  virtual(async () => {
    const results = pooledMap([1, 2, 3], (n) => sleep(n, n), { limit: 2 });
    const asked = await Promise.all([1, 2, 3, 4, 5].map(() => results.next()));
    assertEquals(asked.map(({ value }) => value), [
      1,
      2,
      3,
      undefined,
      undefined,
    ]);
    assertEquals(asked.map(({ done }) => done), [
      false,
      false,
      false,
      true,
      true,
    ]);
  }),
);

Deno.test(
  "an item that was cancelled from elsewhere ends the iteration with that",
  virtual(async () => {
    const tasks = new Set<Task>();
    const results = pooledMap([1, 2, 3], () => {
      tasks.add(currentTask()!);
      return sleep(100);
    }, { limit: 2 });
    const consumer = createTask(() => collect(results));
    await turns(5);
    assertEquals(tasks.size, 2);
    for (const task of tasks) task.cancel("elsewhere");
    const error = await assertRejects(() => consumer);
    assert(isCancelledError(error) && error.reason === "elsewhere");
    assertEquals(consumer.cancelling(), 0);
  }),
);

Deno.test(
  "an item does not see the context variables that another has set",
  virtual(async () => {
    const user = new ContextVar("user", { defaultValue: "nobody" });
    const traces = new AsyncLocalStorage<string>();
    const seen = await traces.run("outside", async () => {
      user.set("consumer");
      return await collect(pooledMap([1, 2, 3, 4], async (n) => {
        const before = `${user.get()} ${traces.getStore()}`;
        user.set(`item ${n}`);
        await sleep(1);
        return `${before}, ${user.get()}`;
      }, { limit: 2 }));
    });
    assertEquals(
      seen,
      [1, 2, 3, 4].map((n) => `consumer outside, item ${n}`),
    );
  }),
);

Deno.test(
  "the call graph tells who waits for the items",
  virtual(async () => {
    let graph: string[] = [];
    const consumer = createTask(async () => {
      await collect(pooledMap([1], async () => {
        await sleep(1);
        graph = captureCallGraph()!.awaitedBy.map(({ future }) =>
          (future as Task).name
        );
      }, { limit: 1 }));
    }, { name: "consumer" });
    await consumer;
    assertEquals(graph, ["consumer"]);
  }),
);

Deno.test(
  "a hundred thousand items with a limit of ten take ten tasks, and cost the same each",
  virtual(async () => {
    let sum = 0;
    const tasks = new Set<string>();
    const items = Array.from({ length: 100_000 }, (_, n) => n);
    const fn = (n: number) => {
      tasks.add(currentTask()!.name);
      return Promise.resolve(n);
    };
    for await (const n of pooledMap(items, fn, { limit: 10 })) sum += n;
    assertEquals(sum, 4_999_950_000);
    assert(tasks.size <= 10, `${tasks.size} tasks`);
    assertEquals(allTasks().size, 1);
  }),
);

Deno.test(
  "without a limit all items are in work at once",
  virtual(async () => {
    const items = Array.from({ length: 5000 }, (_, n) => n);
    const all = await collect(
      pooledMap(items, (n) => sleep(10, n), { limit: Infinity }),
    );
    assertEquals([all, now()], [items, 10]);
  }),
);

Deno.test(
  "no item is lost and none done twice, in whatever order the tasks run",
  async () => {
    await exploreSchedules(async () => {
      const event = new Event();
      let done = 0;
      const results = pooledMap(slowly(20, []), async (n) => {
        done++;
        if (n % 3 === 0) await event.wait();
        await sleep(n % 2);
        return n;
      }, { limit: 4 });
      const [all] = await gather([
        () => collect(results),
        () => sleep(3).then(() => event.set()),
      ]);
      assertEquals(all, Array.from({ length: 20 }, (_, n) => n));
      assertEquals(done, 20);
    }, { runs: 30 });
  },
);

Deno.test("pooledMap() ends with its block, and debug mode finds nothing to tell", async () => {
  await run(async () => {
    const reports = collectReports();
    const log: string[] = [];
    const fn = worker(log, (item) => item % 4);
    for await (const item of pooledMap(slowly(99, log, 0), fn, { limit: 3 })) {
      if (item === 10) break;
    }
    await assertRejects(() =>
      collect(pooledMap([1, 2, 3], (n) => {
        if (n === 2) throw new Error("x");
        return sleep(50);
      }, { limit: 3 }))
    );
    await collect(pooledMap([1, 2, 3], fn, { limit: 2 }));
    await sleep(1);
    assertEquals(reports, []);
  }, { debug: true });
});

Deno.test("a pooledMap() belongs to the loop in which it began", async () => {
  const results = pooledMap([1, 2], (n) => n, { limit: 1 });
  await run(() => results.next());
  await run(() =>
    assertRejects(
      () => results.next().then(() => results.next()),
      InvalidStateError,
    )
  );
});

Deno.test(
  "an aborted signal ends a pooledMap() with its reason, and nothing is left on it",
  virtual(async () => {
    const { signal, abort, listeners } = countingSignal();
    const log: string[] = [];
    await collect(pooledMap([1], (n) => n, { limit: 1, signal }));
    for await (const _ of pooledMap([1, 2], (n) => n, { limit: 1, signal })) {
      break;
    }
    assertEquals(listeners(), 0);
    const fn = worker(log, () => 100);
    const end = createTask(() =>
      collect(pooledMap(counted(9, log), fn, { limit: 2, signal }))
    );
    await sleep(5);
    const reason = new Error("the client has gone");
    abort(reason);
    assertStrictEquals(await assertRejects(() => end), reason);
    assertEquals(log.slice(2), ["cancelled 0", "cancelled 1", "closed"]);
    assertEquals([now(), listeners(), allTasks().size], [6, 0, 1]);
    const late = pooledMap(counted(9, log), (n) => n, { limit: 2, signal });
    assertStrictEquals(await assertRejects(() => collect(late)), reason);
    assertEquals(log.length, 5);
  }),
);

Deno.test("pooledMap() works outside of any task", async () => {
  assertEquals(
    await collect(pooledMap("abc", (char) => char + char, { limit: 2 })),
    ["aa", "bb", "cc"],
  );
});

Deno.test(
  "await using ends a pooledMap() that is asked by hand",
  virtual(async () => {
    const log: string[] = [];
    {
      await using results = pooledMap(counted(9, log), (n) => n, { limit: 2 });
      await results.next();
    }
    assertEquals(log.at(-1), "closed");
    assertEquals(allTasks().size, 1);
  }),
);

Deno.test("pooledMap() refuses what it cannot do", () => {
  const fn = () => 0;
  const wrong: [() => unknown, string][] = [
    [
      () => pooledMap(5 as never, fn, { limit: 1 }),
      "'items' must be iterable: received 5",
    ],
    [() => pooledMap(null as never, fn, { limit: 1 }), "'items'"],
    [() => pooledMap([], 1 as never, { limit: 1 }), "'fn' must be a function"],
    [() => pooledMap([], fn, 3 as never), "write { limit: 3 }"],
    [
      () => pooledMap([], fn, undefined as never),
      "'options' must be an object",
    ],
    [() => pooledMap([], fn, {} as never), "'limit'"],
    [() => pooledMap([], fn, { limit: 1, ordered: 1 } as never), "'ordered'"],
    [() => pooledMap([], fn, { limit: 1, signal: 1 as never }), "'signal'"],
    [
      () => pooledMap([], fn, { concurrency: 1 } as never),
      "did you mean 'limit'?",
    ],
  ];
  for (const [call, message] of wrong) assertThrows(call, TypeError, message);
  for (const limit of [0, -1, 1.5, NaN]) {
    assertThrows(() => pooledMap([], fn, { limit }), RangeError, "'limit'");
  }
});
