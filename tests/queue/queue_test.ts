import {
  CancelledError,
  createTask,
  InvalidStateError,
  QueueEmpty,
  QueueFull,
  QueueShutDown,
  run,
  sleep,
  type Task,
  timeout,
  TimeoutError,
  waitFor,
} from "@asyncio/asyncio";
import { LifoQueue, PriorityQueue, Queue } from "@asyncio/asyncio/queue";
import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { hops, MANY_HOPS, outcomes, shown } from "../_support/outcome.ts";
import { turns, virtual } from "../_support/virtual.ts";

function filled<T>(items: Iterable<T>, maxSize = 0): Queue<T> {
  const queue = new Queue<T>({ maxSize });
  for (const item of items) queue.putNowait(item);
  return queue;
}

function getters<T>(queue: Queue<T>, count: number): Task<T>[] {
  return Array.from({ length: count }, () => createTask(() => queue.get()));
}

function putters<T>(queue: Queue<T>, items: Iterable<T>): Task<void>[] {
  return Array.from(items, (item) => createTask(() => queue.put(item)));
}

function drained<T>(queue: Queue<T>): T[] {
  const items: T[] = [];
  while (!queue.empty()) items.push(queue.getNowait());
  return items;
}

// ── first in, first out ────────────────────────────────────────────────────

Deno.test(
  "get() gives items in the order of put()",
  virtual(async () => {
    const queue = new Queue<number>();
    for (let i = 0; i < 100; i++) await queue.put(i);
    for (let i = 0; i < 100; i++) assertEquals(await queue.get(), i);
  }),
);

Deno.test(
  "getters that wait get items in order of arrival",
  virtual(async () => {
    const queue = new Queue<string>();
    const tasks = getters(queue, 3);
    await turns(1);
    for (const item of "abc") queue.putNowait(item);
    assertEquals(await outcomes(tasks), ["a", "b", "c"]);
  }),
);

Deno.test(
  "putters that wait put their items in order of arrival",
  virtual(async () => {
    const queue = filled("a", 1);
    const tasks = putters(queue, "bcd");
    await turns(1);
    assertEquals(queue.statistics().putters, 3);
    const items = [];
    for (let i = 0; i < 4; i++) items.push(await queue.get());
    assertEquals(items.join(""), "abcd");
    await outcomes(tasks);
  }),
);

Deno.test(
  "an item whose putter was let in is there in the putter's turn",
  virtual(async () => {
    const queue = filled("a", 1);
    const tasks = putters(queue, "bc");
    await turns(1);
    assertEquals(queue.getNowait(), "a");
    assertThrows(() => queue.getNowait(), QueueEmpty);
    assertThrows(() => queue.putNowait("x"), QueueFull);
    assertEquals(await queue.get() + await queue.get(), "bc");
    await outcomes(tasks);
    assert(queue.empty());
  }),
);

Deno.test(
  "a newcomer does not put its item before those that wait",
  virtual(async () => {
    const queue = filled("a", 1);
    const tasks = putters(queue, "b");
    await turns(1);
    assertEquals(queue.getNowait(), "a");
    assert(queue.full());
    assertThrows(() => queue.putNowait("x"), QueueFull);
    const late = queue.put("c");
    assertEquals(await queue.get() + await queue.get(), "bc");
    await late;
    await outcomes(tasks);
  }),
);

Deno.test(
  "undefined, null and functions are items like any other",
  virtual(async () => {
    const items = [undefined, null, () => 1, 0, "", NaN];
    const queue = filled<unknown>(items);
    for (const item of items) assertStrictEquals(await queue.get(), item);
  }),
);

Deno.test(
  "get() waits for an item that is a promise, getNowait() gives it",
  virtual(async () => {
    const promise = Promise.resolve("come to");
    const queue = filled([promise, promise]);
    assertEquals(await queue.get(), "come to" as never);
    assertStrictEquals(queue.getNowait(), promise);
  }),
);

// ── cancelled getters ──────────────────────────────────────────────────────

Deno.test(
  "Q1 a getter that is woken and then cancelled passes the item to the next",
  virtual(async () => {
    const queue = new Queue<string>();
    const tasks = getters(queue, 2);
    await turns(1);
    queue.putNowait("a");
    tasks[0]!.cancel();
    assertEquals(await outcomes(tasks), ["CancelledError", "a"]);
    assert(queue.empty());
  }),
);

Deno.test(
  "Q1 a cancelled getter is passed over by the next put()",
  virtual(async () => {
    const queue = new Queue<string>();
    const tasks = getters(queue, 2);
    await turns(1);
    tasks[0]!.cancel();
    queue.putNowait("a");
    assertEquals(await outcomes(tasks), ["CancelledError", "a"]);
  }),
);

Deno.test(
  "Q2 a sole getter that is woken and cancelled leaves the item in its place",
  virtual(async () => {
    const queue = new Queue<number>();
    const [task] = getters(queue, 1);
    await turns(1);
    queue.putNowait(1);
    queue.putNowait(2);
    task!.cancel();
    await assertRejects(() => task!, CancelledError);
    assertEquals(queue.size, 2);
    assertEquals([await queue.get(), await queue.get()], [1, 2]);
  }),
);

Deno.test(
  "Q2 of several woken getters one is cancelled: the order of items stays",
  virtual(async () => {
    for (let cancelled = 0; cancelled < 3; cancelled++) {
      const queue = new Queue<number>();
      const tasks = getters(queue, 3);
      await turns(1);
      for (const item of [1, 2, 3, 4]) queue.putNowait(item);
      tasks[cancelled]!.cancel();
      const ends = await outcomes(tasks);
      assertEquals(ends[cancelled], "CancelledError");
      ends.splice(cancelled, 1);
      assertEquals([...ends, ...drained(queue)], [1, 2, 3, 4]);
    }
  }),
);

Deno.test(
  "a bounded queue is never over-full when a woken getter is cancelled",
  virtual(async () => {
    const queue = new Queue<string>({ maxSize: 1 });
    const [getter] = getters(queue, 1);
    await turns(1);
    queue.putNowait("a");
    assert(queue.full());
    const [putter] = putters(queue, "b");
    getter!.cancel();
    await turns(2);
    assertEquals(queue.size, 1);
    assertFalse(putter!.done());
    assertEquals(await queue.get() + await queue.get(), "ab");
    await outcomes([getter!, putter!]);
  }),
);

// ── cancelled putters ──────────────────────────────────────────────────────

Deno.test(
  "Q3 a cancelled put() puts nothing, and the next goes",
  virtual(async () => {
    const queue = filled("a", 1);
    const tasks = putters(queue, "bc");
    await turns(1);
    tasks[0]!.cancel();
    assertEquals(queue.getNowait(), "a");
    assertEquals(await outcomes(tasks), ["CancelledError", undefined]);
    assertEquals(drained(queue), ["c"]);
    assertEquals(queue.statistics().unfinished, 2);
  }),
);

Deno.test(
  "Q3 a put() that is let in and then cancelled puts nothing",
  virtual(async () => {
    const queue = filled("a", 1);
    const tasks = putters(queue, "bc");
    await turns(1);
    assertEquals(queue.getNowait(), "a");
    tasks[0]!.cancel();
    assertEquals(await outcomes(tasks), ["CancelledError", undefined]);
    assertEquals(drained(queue), ["c"]);
  }),
);

Deno.test(
  "Q3 a put() that is let in and then cancelled leaves its room",
  virtual(async () => {
    const queue = filled("a", 1);
    const [task] = putters(queue, "b");
    await turns(1);
    assertEquals(queue.getNowait(), "a");
    assert(queue.full());
    task!.cancel();
    assertFalse(queue.full());
    assertEquals(queue.size, 0);
    queue.putNowait("c");
    await assertRejects(() => task!, CancelledError);
    assertEquals(drained(queue), ["c"]);
  }),
);

// ── races ──────────────────────────────────────────────────────────────────

Deno.test(
  "Q4 waitFor(get) racing a put loses nothing",
  virtual(async () => {
    for (let round = 0; round < 30; round++) {
      const queue = new Queue<string>();
      const getter = createTask(() => waitFor(() => queue.get(), 10));
      createTask(async () => {
        await sleep(round % 3 === 0 ? 10 : 9 + round % 3);
        await hops(round);
        queue.putNowait("a");
      });
      const [end] = await outcomes([getter]);
      await sleep(10);
      if (end === "a") assertEquals(queue.size, 0);
      else {
        assertEquals(end, "TimeoutError");
        assertEquals(drained(queue), ["a"]);
      }
    }
  }),
);

Deno.test(
  "Q4 no item is lost or doubled wherever in get() the cancellation comes",
  virtual(async () => {
    for (let before = 0; before < 2 * MANY_HOPS; before++) {
      const queue = new Queue<number>({ maxSize: 2 });
      const got: number[] = [];
      const consumer = async () => {
        for (;;) got.push(await queue.get());
      };
      const tasks = [createTask(consumer), createTask(consumer)];
      await turns(1);
      const put: number[] = [];
      const producer = createTask(async () => {
        for (let i = 0; i < 20; i++) {
          await queue.put(i);
          put.push(i);
        }
      });
      await hops(before);
      tasks[0]!.cancel();
      await hops(before % 5);
      producer.cancel();
      await turns(30);
      tasks[1]!.cancel();
      await outcomes([...tasks, producer]);
      assertEquals([...got, ...drained(queue)], put, `${before}`);
    }
  }),
);

Deno.test(
  // In asyncio it can, and the getter then waits again.
  "Q5 getNowait() does not take the item of a getter that is woken",
  virtual(async () => {
    const queue = new Queue<string>();
    const [task] = getters(queue, 1);
    await turns(1);
    queue.putNowait("a");
    assert(queue.empty());
    assertEquals(queue.size, 0);
    assertThrows(() => queue.getNowait(), QueueEmpty);
    queue.putNowait("b");
    assertEquals(queue.size, 1);
    assertEquals(await outcomes([task!]), ["a"]);
    assertEquals(queue.getNowait(), "b");
  }),
);

Deno.test(
  "Q5 an item on its way from a putter to a getter is out of reach",
  virtual(async () => {
    const queue = new Queue<string>({ maxSize: 1 });
    const [first, second] = getters(queue, 2);
    await turns(1);
    queue.putNowait("a");
    const [putter] = putters(queue, "b");
    await hops(1);
    for (let i = 0; i < MANY_HOPS; i++) {
      assertThrows(() => queue.getNowait(), QueueEmpty);
      await hops(1);
    }
    assertEquals(await outcomes([first!, second!, putter!]), [
      "a",
      "b",
      undefined,
    ]);
  }),
);

Deno.test(
  "C17 get(), put() and join() reject a remembered cancellation at once",
  virtual(async () => {
    for (const operation of ["get", "put", "join"] as const) {
      const queue = filled("a");
      const task: Task = createTask(async () => {
        task.cancel();
        await queue[operation]("b");
      });
      await assertRejects(() => task, CancelledError);
      assertEquals(queue.statistics(), {
        size: 1,
        maxSize: 0,
        getters: 0,
        putters: 0,
        unfinished: 1,
        shutDown: false,
      });
    }
  }),
);

Deno.test(
  "a timeout around get() and put() leaves nothing behind",
  virtual(async () => {
    const queue = new Queue<string>({ maxSize: 1 });
    await assertRejects(() => timeout(5, () => queue.get()), TimeoutError);
    queue.putNowait("a");
    await assertRejects(() => timeout(5, () => queue.put("b")), TimeoutError);
    assertEquals(queue.statistics().getters + queue.statistics().putters, 0);
    assertEquals(drained(queue), ["a"]);
  }),
);

// ── join ───────────────────────────────────────────────────────────────────

Deno.test(
  "Q6 join() returns at once when nothing is unfinished",
  virtual(async () => {
    await new Queue().join();
  }),
);

Deno.test(
  "Q6 join() waits for taskDone(), not for get()",
  virtual(async () => {
    const queue = filled("ab");
    const tasks = [1, 2].map(() => createTask(() => queue.join()));
    queue.getNowait();
    queue.getNowait();
    queue.taskDone();
    await turns(5);
    assertFalse(tasks[0]!.done());
    queue.taskDone();
    queue.putNowait("c");
    assertEquals(await outcomes(tasks), [undefined, undefined]);
    assertEquals(queue.statistics().unfinished, 1);
  }),
);

Deno.test(
  // asyncio throws a ValueError.
  "Q6 taskDone() too often throws",
  () => {
    const queue = filled("a");
    queue.taskDone();
    assertThrows(() => queue.taskDone(), InvalidStateError, "<Queue size=1>");
    assertThrows(() => new Queue().taskDone(), InvalidStateError);
  },
);

Deno.test(
  "Q6 an item that a putter waits with is not unfinished yet",
  virtual(async () => {
    const queue = filled("a", 1);
    const tasks = putters(queue, "b");
    await turns(1);
    assertEquals(queue.statistics().unfinished, 1);
    tasks[0]!.cancel();
    queue.taskDone();
    await queue.join();
    await outcomes(tasks);
  }),
);

// ── sizes ──────────────────────────────────────────────────────────────────

Deno.test("Q7 a queue with a maxSize of 0 or less has no bound", () => {
  for (const maxSize of [undefined, 0, -1, Infinity]) {
    const queue = maxSize === undefined
      ? new Queue<number>()
      : new Queue<number>({ maxSize });
    for (let i = 0; i < 100; i++) queue.putNowait(i);
    assertFalse(queue.full());
    assertEquals([queue.size, queue.maxSize], [100, 0]);
  }
});

Deno.test("Q7 putNowait() throws QueueFull, getNowait() QueueEmpty", () => {
  for (const Class of [Queue, LifoQueue, PriorityQueue]) {
    const queue = new Class<number>({ maxSize: 1 });
    assertThrows(() => queue.getNowait(), QueueEmpty, `<${Class.name} size=0`);
    assert(queue.empty() && !queue.full());
    queue.putNowait(1);
    assert(queue.full() && !queue.empty());
    assertThrows(() => queue.putNowait(2), QueueFull, "is full");
    assertEquals(queue.getNowait(), 1);
  }
});

Deno.test("new Queue() throws where maxSize is none", () => {
  for (const Class of [Queue, LifoQueue, PriorityQueue]) {
    for (const maxSize of [NaN, 1.5, -Infinity]) {
      assertThrows(
        () => new Class({ maxSize }),
        RangeError,
        `Cannot create a queue as 'maxSize' must be an integer: received ${maxSize}`,
      );
    }
    assertThrows(
      () => new Class({ maxSize: "10" as never }),
      TypeError,
      'received "10"',
    );
  }
});

// ── priorities ─────────────────────────────────────────────────────────────

Deno.test(
  "Q8 PriorityQueue gives the lowest first",
  virtual(async () => {
    const queue = new PriorityQueue<number>();
    for (const item of [3, 1, 2, -1, 10]) await queue.put(item);
    assertEquals(drained(queue), [-1, 1, 2, 3, 10]);
  }),
);

Deno.test(
  "Q8 PriorityQueue gives a woken getter the lowest that came meanwhile",
  virtual(async () => {
    const queue = new PriorityQueue<number>();
    const [task] = getters(queue, 1);
    await turns(1);
    for (const item of [3, 1, 2]) queue.putNowait(item);
    assertEquals(await task, 1);
    assertEquals(drained(queue), [2, 3]);
  }),
);

Deno.test("Q8 PriorityQueue is stable for equal priorities", () => {
  const queue = new PriorityQueue<{ priority: number; name: string }>({
    compare: (a, b) => a.priority - b.priority,
  });
  for (const [i, name] of [..."abcdefghij"].entries()) {
    queue.putNowait({ priority: i % 2, name });
  }
  assertEquals(drained(queue).map(({ name }) => name).join(""), "acegibdfhj");
});

Deno.test(
  "Q8 PriorityQueue is stable when a getter is cancelled",
  virtual(async () => {
    const queue = new PriorityQueue<[number, symbol]>();
    const items: [number, symbol][] = [1, 2, 3].map((n) => [0, Symbol(n)]);
    const [task] = getters(queue, 1);
    await turns(1);
    for (const item of items) queue.putNowait(item);
    task!.cancel();
    assertEquals(drained(queue), items);
    await outcomes([task!]);
  }),
);

Deno.test("Q8 PriorityQueue orders what has an order of its own", () => {
  const sorted = <T>(items: readonly T[]) => {
    const queue = new PriorityQueue<T>({} as never);
    for (const item of items) queue.putNowait(item);
    return drained(queue);
  };
  assertEquals(sorted(["b", "a", "B"]), ["B", "a", "b"]);
  assertEquals(sorted([2n, 1, 3, -1n]), [-1n, 1, 2n, 3]);
  const days = [3, 1, 2].map((day) => new Date(2026, 0, day));
  assertEquals(sorted(days).map((day) => day.getDate()), [1, 2, 3]);
  assertEquals(sorted([[10, "a"], [9, "b"], [10]]), [[9, "b"], [10], [
    10,
    "a",
  ]]);
  assertEquals(sorted([[[2], "a"], [[1], "b"]]), [[[1], "b"], [[2], "a"]]);
  // Elements without an order count as equal.
  assertEquals(
    sorted([[2, {}], [1, { a: 1 }], [1, { a: 0 }]]),
    [[1, { a: 1 }], [1, { a: 0 }], [2, {}]],
  );
});

Deno.test(
  "PriorityQueue refuses what has no order, and stays as it was",
  virtual(async () => {
    // The compiler would refuse most of these, too.
    const queue = new PriorityQueue<unknown>({} as never);
    const refused = [
      NaN,
      {},
      null,
      undefined,
      () => 1,
      Symbol("s"),
      true,
      [],
      [{}, 1],
      new Date(NaN),
    ];
    for (const item of refused) {
      assertThrows(
        () => queue.putNowait(item),
        TypeError,
        "Cannot put an item without 'compare' as it must be a number, a bigint,",
      );
      await assertRejects(() => queue.put(item), TypeError);
    }
    assertEquals([queue.size, queue.statistics().unfinished], [0, 0]);
  }),
);

Deno.test(
  "PriorityQueue refuses what cannot be compared with what it holds",
  virtual(async () => {
    const queue = new PriorityQueue<unknown>({ maxSize: 1 } as never);
    queue.putNowait(1);
    for (const item of ["1", new Date(), [1]]) {
      await assertRejects(
        () => queue.put(item),
        TypeError,
        "must be comparable with 1, which is in the queue: received ",
      );
    }
    assertEquals(queue.getNowait(), 1);
    queue.putNowait("now it can be a string");
  }),
);

Deno.test(
  "a putter whose item cannot be put when there is room fails, the next goes",
  virtual(async () => {
    const queue = new PriorityQueue<number>({
      maxSize: 2,
      compare(a, b) {
        if (a === 13 || b === 13) throw new Error("unlucky");
        return a - b;
      },
    });
    queue.putNowait(1);
    queue.putNowait(2);
    const tasks = putters(queue, [13, 3]);
    await turns(1);
    assertEquals(queue.getNowait(), 1);
    assertEquals(await outcomes(tasks), ["Error", undefined]);
    assertEquals(drained(queue), [2, 3]);
    assertEquals(queue.statistics().unfinished, 3);
  }),
);

Deno.test(
  "an error of compare comes out of put(), and the queue stays as it was",
  virtual(async () => {
    const queue = new PriorityQueue<number>({
      compare(a, b) {
        if (a === 13 || b === 13) throw new Error("unlucky");
        return a - b;
      },
    });
    queue.putNowait(13);
    await assertRejects(() => queue.put(1), Error, "unlucky");
    assertEquals(queue.size, 1);
    assertEquals(await queue.get(), 13);
    for (const item of [5, 1, 4, 2, 3]) queue.putNowait(item);
    assertThrows(() => queue.putNowait(13), Error, "unlucky");
    assertEquals(queue.statistics().unfinished, 6);
    assertEquals(drained(queue), [1, 2, 3, 4, 5]);
  }),
);

Deno.test(
  "an error of compare comes out of get(), and the queue stays as it was",
  virtual(async () => {
    let broken = false;
    const queue = new PriorityQueue<number>({
      compare(a, b) {
        if (broken) throw new Error("broken");
        return a - b;
      },
    });
    for (const item of [5, 3, 4, 1, 2]) queue.putNowait(item);
    broken = true;
    await assertRejects(() => queue.get(), Error, "broken");
    assertThrows(() => queue.getNowait(), Error, "broken");
    assertThrows(() => queue.putNowait(0), Error, "broken");
    assertEquals(queue.size, 5);
    broken = false;
    assertEquals(drained(queue), [1, 2, 3, 4, 5]);
  }),
);

Deno.test("PriorityQueue orders elements of several kinds by kind", () => {
  const queue = new PriorityQueue<[number, unknown]>();
  const kinds = [["b"], {}, "c", "a", new Date(5), undefined, 7n, "b", [{}], 3];
  for (const each of kinds) queue.putNowait([1, each]);
  assertEquals(
    drained(queue).map(([, each]) => each),
    [3, 7n, "a", "b", "c", new Date(5), ["b"], {}, undefined, [{}]],
  );
});

Deno.test("compare must be a function that returns a number", () => {
  assertThrows(
    () => new PriorityQueue({ compare: "priority" as never }),
    TypeError,
    "Cannot create a priority queue as 'compare' must be a function",
  );
  for (const result of [NaN, undefined, true]) {
    const queue = new PriorityQueue<number>({ compare: () => result as never });
    queue.putNowait(1);
    assertThrows(
      () => queue.putNowait(2),
      TypeError,
      `'compare' must return a number: received ${result}`,
    );
    assertEquals(drained(queue), [1]);
  }
});

Deno.test(
  "Q8 LifoQueue gives the newest first",
  virtual(async () => {
    const queue = new LifoQueue<number>();
    for (const item of [1, 2, 3]) await queue.put(item);
    assertEquals(await queue.get(), 3);
    queue.putNowait(4);
    assertEquals(drained(queue), [4, 2, 1]);
  }),
);

// ── shutdown ───────────────────────────────────────────────────────────────

Deno.test(
  "Q9 shutdown() makes put() fail at once, and get() when nothing is left",
  virtual(async () => {
    const queue = filled("ab");
    queue.shutdown();
    assertThrows(() => queue.putNowait("c"), QueueShutDown, "Cannot put");
    await assertRejects(() => queue.put("c"), QueueShutDown);
    assertEquals(await queue.get(), "a");
    assertEquals(queue.getNowait(), "b");
    await assertRejects(() => queue.get(), QueueShutDown, "Cannot get");
    assertThrows(() => queue.getNowait(), QueueShutDown);
  }),
);

Deno.test(
  "Q9 shutdown() wakes putters with QueueShutDown, also one just let in",
  virtual(async () => {
    for (const letIn of [false, true]) {
      const queue = filled("ab", 2);
      const tasks = putters(queue, "cd");
      await turns(1);
      if (letIn) queue.getNowait();
      queue.shutdown();
      assertEquals(await outcomes(tasks), ["QueueShutDown", "QueueShutDown"]);
      assertEquals(drained(queue).at(-1), "b");
    }
  }),
);

Deno.test(
  "Q9 shutdown() wakes getters with QueueShutDown, but not one that has an item",
  virtual(async () => {
    const queue = new Queue<string>();
    const tasks = getters(queue, 2);
    await turns(1);
    queue.putNowait("a");
    queue.shutdown();
    assertEquals(await outcomes(tasks), ["a", "QueueShutDown"]);
  }),
);

Deno.test(
  "Q9 an item whose getter is cancelled after shutdown() can still be got",
  virtual(async () => {
    const queue = new Queue<string>();
    const tasks = getters(queue, 1);
    await turns(1);
    queue.putNowait("a");
    queue.shutdown();
    tasks[0]!.cancel();
    assertEquals(await queue.get(), "a");
    assertEquals(await outcomes(tasks), ["CancelledError"]);
  }),
);

Deno.test(
  "Q10 shutdown({ immediate }) throws the items away and releases join()",
  virtual(async () => {
    const queue = filled("abc");
    const joiner = createTask(() => queue.join());
    await turns(1);
    queue.shutdown({ immediate: true });
    await joiner;
    assertEquals(queue.size, 0);
    await assertRejects(() => queue.get(), QueueShutDown);
    assertThrows(() => queue.taskDone(), InvalidStateError);
  }),
);

Deno.test(
  "Q10 shutdown({ immediate }) leaves join() waiting for items being worked on",
  virtual(async () => {
    const queue = filled("abc");
    const joiner = createTask(() => queue.join());
    await queue.get();
    queue.shutdown({ immediate: true });
    await turns(3);
    assertFalse(joiner.done());
    queue.taskDone();
    await joiner;
  }),
);

Deno.test(
  "Q10 shutdown({ immediate }) takes the item of a woken getter away as well",
  virtual(async () => {
    const queue = new Queue<string>({ maxSize: 1 });
    const tasks = getters(queue, 2);
    await turns(1);
    queue.putNowait("a");
    const put = queue.put("b");
    queue.shutdown({ immediate: true });
    await assertRejects(() => put, QueueShutDown);
    assertEquals(await outcomes(tasks), ["QueueShutDown", "QueueShutDown"]);
    assertEquals([queue.size, queue.statistics().unfinished], [0, 0]);
  }),
);

Deno.test(
  "Q11 after shutdown() join() still waits for taskDone()",
  virtual(async () => {
    const queue = filled("a");
    const joiner = createTask(() => queue.join());
    queue.shutdown();
    await turns(3);
    assertFalse(joiner.done());
    await queue.get();
    queue.taskDone();
    await joiner;
  }),
);

Deno.test(
  "Q12 shutdown() can be called again, and made immediate",
  virtual(async () => {
    const queue = filled("abc");
    queue.shutdown();
    queue.shutdown();
    assertEquals(await queue.get(), "a");
    queue.shutdown({ immediate: true });
    queue.shutdown();
    queue.shutdown({ immediate: true });
    assertThrows(() => queue.getNowait(), QueueShutDown);
    assertEquals(queue.statistics().unfinished, 1);
  }),
);

// ── iteration ──────────────────────────────────────────────────────────────

Deno.test(
  "for await gives the items until shutdown()",
  virtual(async () => {
    const queue = filled("ab");
    const items: string[] = [];
    const task = createTask(async () => {
      for await (const item of queue) items.push(item);
    });
    await turns(3);
    queue.putNowait("c");
    queue.shutdown();
    await task;
    assertEquals(items.join(""), "abc");
    for await (const item of queue) items.push(item);
    assertEquals(items.length, 3);
  }),
);

Deno.test(
  "leaving a for await leaves the queue as it is",
  virtual(async () => {
    const queue = filled("abc");
    for await (const item of queue) {
      if (item === "b") break;
    }
    await assertRejects(async () => {
      for await (const item of queue) throw new Error(item);
    });
    queue.putNowait("d");
    assertEquals(drained(queue), ["d"]);
  }),
);

Deno.test(
  "several loops share the items",
  virtual(async () => {
    const queue = new Queue<number>({ maxSize: 2 });
    const got: number[] = [];
    const tasks = [1, 2, 3].map(() =>
      createTask(async () => {
        for await (const item of queue) got.push(item);
      })
    );
    for (let i = 0; i < 50; i++) await queue.put(i);
    queue.shutdown();
    await outcomes(tasks);
    assertEquals(got.toSorted((a, b) => a - b), [...Array(50).keys()]);
  }),
);

Deno.test(
  "for await throws when its task is cancelled",
  virtual(async () => {
    const queue = new Queue<number>();
    const task = createTask(async () => {
      for await (const _ of queue);
    });
    await turns(2);
    task.cancel();
    await assertRejects(() => task, CancelledError);
    assertEquals(queue.statistics().getters, 0);
  }),
);

Deno.test(
  "an iterator is its own iterable, and harmless to end",
  virtual(async () => {
    const queue = filled("a");
    const iterator = queue[Symbol.asyncIterator]();
    assertStrictEquals(iterator[Symbol.asyncIterator](), iterator);
    assertEquals(await iterator.return!(), { done: true, value: undefined });
    assertEquals(await iterator.next(), { done: false, value: "a" });
  }),
);

// ── the rest ───────────────────────────────────────────────────────────────

Deno.test("L18 waiting for a queue in a second loop rejects", async () => {
  const queue = new Queue<string>({ maxSize: 1 });
  await run(async () => {
    const tasks = [...getters(queue, 1), ...putters(queue, "ab")];
    await outcomes(tasks);
    queue.getNowait();
  });
  await run(async () => {
    await queue.put("c");
    assertEquals(await queue.get(), "c");
    await assertRejects(
      () => queue.get(),
      InvalidStateError,
      "Cannot wait in Queue.get as it is bound to another event loop",
    );
  });
});

Deno.test(
  "a queue shows its state",
  virtual(async () => {
    const queue = filled("ab", 2);
    assertEquals(`${queue}`, "<Queue size=2 maxSize=2 unfinished=2>");
    const tasks: Task<unknown>[] = putters(queue, "c");
    await turns(1);
    assertEquals(
      shown(queue),
      "<Queue size=2 maxSize=2 putters=1 unfinished=2>",
    );
    assert(Object.isFrozen(queue.statistics()));
    queue.shutdown();
    assertEquals(
      `${queue}`,
      "<Queue size=2 maxSize=2 unfinished=2 shut down>",
    );
    const stack = new LifoQueue();
    tasks.push(...getters(stack, 2));
    await turns(1);
    assertEquals(`${stack}`, "<LifoQueue size=0 getters=2>");
    assert(`${tasks[1]}`.includes("waiting for Queue.get"));
    stack.shutdown();
    await outcomes(tasks);
    assertEquals(
      Object.prototype.toString.call(new PriorityQueue()),
      "[object PriorityQueue]",
    );
  }),
);

Deno.test(
  "ten thousand getters and putters are cancelled, and none is left",
  virtual(async () => {
    const empty = new Queue<number>();
    const full = filled([0], 1);
    const tasks: Task<unknown>[] = [
      ...getters(empty, 10_000),
      ...putters(full, Array(10_000).keys()),
    ];
    await turns(1);
    assertEquals(empty.statistics().getters, 10_000);
    assertEquals(full.statistics().putters, 10_000);
    for (const task of tasks) task.cancel();
    assertEquals(empty.statistics().getters, 0);
    assertEquals(full.statistics().putters, 0);
    await outcomes(tasks);
    assertEquals(drained(full), [0]);
  }),
);
