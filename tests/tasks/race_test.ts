import {
  CancelledError,
  ContextVar,
  createTask,
  currentTask,
  Event,
  ExceptionGroup,
  formatCallGraph,
  getRunningLoop,
  LifoQueue,
  Lock,
  moveOnAfter,
  PriorityQueue,
  Queue,
  race,
  run,
  Semaphore,
  shield,
  shielded,
  sleep,
  SystemExit,
  type Task,
  taskGroup,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";
import { race as raceOfTasks } from "@asyncio/asyncio/tasks";
import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { AsyncLocalStorage } from "node:async_hooks";
import {
  assertSeenAroundLimit,
  seenWhenCancelled,
  TEN_MS_LIMITS,
} from "../_support/cancelled_block.ts";
import { outcome } from "../_support/outcome.ts";
import { slowToEnd } from "../_support/slow_clean_up.ts";
import {
  collectReports,
  countingSignal,
  now,
  turns,
  virtual,
} from "../_support/virtual.ts";

Deno.test("@asyncio/asyncio/tasks has race()", () => {
  assertStrictEquals(raceOfTasks, race);
});

// ── The result ────────────────────────────────────────────────────────────────

Deno.test(
  "race() gives what the first that ends gives, and ends with it",
  virtual(async () => {
    const value = await race([
      () => sleep(20, "slow"),
      () => sleep(10, "quick"),
      () => sleep(30, "slowest"),
    ]);
    assertEquals([value, now()], ["quick", 10]);
  }),
);

Deno.test(
  "race() of one is that one, and a plain value is one that is there",
  virtual(async () => {
    assertEquals(await race([() => sleep(10, "alone")]), "alone");
    assertEquals(await race([() => 5]), 5);
    assertEquals(await race([() => sleep(10), () => "there"]), "there");
  }),
);

Deno.test(
  "race() calls each in its order up to its first wait, and none once one has ended",
  virtual(async () => {
    const called: string[] = [];
    const value = await race([
      async () => {
        called.push("waits");
        await sleep(1000);
      },
      () => {
        called.push("ends");
        return 1;
      },
      () => called.push("never"),
    ]);
    assertEquals([value, called], [1, ["waits", "ends"]]);
  }),
);

Deno.test(
  "race() waits until those that lost have cleaned up",
  virtual(async () => {
    const log: string[] = [];
    await race([
      () => sleep(10),
      slowToEnd(50, () => log.push("cleaned up")),
    ]);
    assertEquals([log, now()], [["cleaned up"], 60]);
  }),
);

Deno.test(
  "race() waits for one that swallows its cancellation, and drops its value",
  virtual(async () => {
    const value = await race([
      () => sleep(10, "first"),
      async () => {
        await sleep(1000).catch(() => {});
        await sleep(100);
        return "stubborn";
      },
    ]);
    assertEquals([value, now()], ["first", 110]);
  }),
);

Deno.test(
  "race() tells those that lost why, and which task has won",
  virtual(async () => {
    let seen: unknown;
    await race([
      async () => {
        currentTask()!.name = "winner";
        await sleep(10);
      },
      () => sleep(1000).catch((error) => seen = error),
    ]);
    const error = seen as CancelledError;
    assertEquals(
      [error.name, error.message, error.by],
      [
        "CancelledError",
        "Another contender of race() has ended first",
        "winner",
      ],
    );
  }),
);

Deno.test(
  "race() aborts the signals of those that lost, and none of the caller's",
  virtual(async () => {
    const signals: AbortSignal[] = [];
    const caller = currentTask()!.signal;
    await race([
      () => sleep(10),
      () => {
        signals.push(currentTask()!.signal);
        return sleep(1000);
      },
    ]);
    assertEquals(signals.map(({ aborted }) => aborted), [true]);
    assertFalse(caller.aborted);
    assertEquals(currentTask()!.cancelling(), 0);
  }),
);

Deno.test(
  "a contender that is no more than a wait is told that it lost, if it asks",
  virtual(async () => {
    for (const debug of [false, true]) {
      getRunningLoop().setDebug(debug);
      const event = new Event();
      const ended: string[] = [];
      let task: Task | null = null;
      let ofWait: unknown;
      await race([
        async () => {
          currentTask()!.name = "winner";
          await sleep(10);
        },
        () => {
          task = currentTask();
          task!.addDoneCallback((done) => void ended.push(done.name));
          task!.name = "loser";
          const waiting = event.wait();
          waiting.catch((error) => ofWait = error);
          return waiting;
        },
      ]);
      await turns(2);
      const ofTask = await assertRejects(async () => await task!) as
        & Error
        & { by?: string };
      const message = "Another contender of race() has ended first";
      assert(task!.cancelled());
      assertEquals([ofTask.message, ofTask.by], [message, "winner"]);
      assertEquals((ofWait as Error).message, message);
      assertEquals(ended, ["loser"]);
      assertEquals(event.statistics().waiters, 0);
    }
    getRunningLoop().setDebug(false);
  }),
);

Deno.test(
  "a contender with context variables that is no more than a wait ends once",
  virtual(async () => {
    const reports = collectReports();
    const variable = new ContextVar<string>("name");
    variable.set("caller");
    const event = new Event();
    const losing = () => event.wait();
    assertEquals(await race([losing, () => sleep(1, "won"), losing]), "won");
    await turns(3);
    assertEquals([event.statistics().waiters, reports], [0, []]);
  }),
);

// ── What lost has taken nothing ───────────────────────────────────────────────

/** Things to wait for, each with what it is when somebody has taken a part. */
interface Thing {
  readonly wait: () => PromiseLike<unknown>;
  /** Makes it ready. */
  fill(): void;
  /** Whether a part of it was taken. */
  isTaken(): boolean;
}

function queueOf(Class: new () => Queue<number>): () => Thing {
  return () => {
    const queue = new Class();
    return {
      wait: () => queue.get(),
      fill: () => queue.putNowait(1),
      isTaken: () => queue.empty(),
    };
  };
}

const THINGS: Readonly<Record<string, () => Thing>> = {
  "Queue.get": queueOf(Queue),
  "LifoQueue.get": queueOf(LifoQueue),
  "PriorityQueue.get": queueOf(PriorityQueue),
  "Queue.put": () => {
    const queue = new Queue<number>({ maxSize: 1 });
    queue.putNowait(0);
    return {
      wait: () => queue.put(1),
      fill: () => void queue.getNowait(),
      isTaken: () => queue.full(),
    };
  },
  "Lock.acquire": () => {
    const lock = new Lock();
    lock.acquire();
    return {
      wait: () => lock.acquire(),
      fill: () => lock.release(),
      isTaken: () => lock.locked(),
    };
  },
  "Semaphore.acquire": () => {
    const semaphore = new Semaphore(0);
    return {
      wait: () => semaphore.acquire(),
      fill: () => semaphore.release(),
      isTaken: () => semaphore.locked(),
    };
  },
};

/** Waits behind so many `async` functions. */
async function behind(
  depth: number,
  wait: () => PromiseLike<unknown>,
): Promise<unknown> {
  return depth <= 1 ? await wait() : await behind(depth - 1, wait);
}

function through(depth: number, { wait }: Thing): () => PromiseLike<unknown> {
  return depth === 0 ? wait : () => behind(depth, wait);
}

for (const [name, make] of Object.entries(THINGS)) {
  for (const debug of [false, true]) {
    Deno.test(
      `F1 of contenders that wait for ${name}, one takes something${
        debug ? ", in debug mode too" : ""
      }`,
      virtual(async () => {
        const loop = getRunningLoop();
        loop.setDebug(debug);
        // However busy the machine is.
        loop.slowCallbackDuration = Infinity;
        for (const depth of [0, 1, 5]) {
          for (const filled of [[0, 1, 2], [2, 1, 0], [1], [2, 0]]) {
            // Ready before the race, and in one step while it waits.
            for (const isBefore of [true, false]) {
              const things = [make(), make(), make()];
              const fill = () => filled.forEach((each) => things[each]!.fill());
              if (isBefore) fill();
              const running = createTask(() =>
                race(things.map((thing) => through(depth, thing)))
              );
              await turns(4);
              if (!isBefore) fill();
              await running;
              const first = isBefore ? Math.min(...filled) : filled[0];
              assertEquals(
                things.map((thing) => thing.isTaken()),
                things.map((_, index) =>
                  index === first || !filled.includes(index)
                ),
                `${filled} behind ${depth}, before: ${isBefore}`,
              );
            }
          }
        }
        loop.setDebug(false);
      }),
    );
  }
}

Deno.test(
  "F1 a race for one queue takes its first item, and leaves the others in order",
  virtual(async () => {
    const queue = new Queue<number>();
    const get = () => queue.get();
    const running = createTask(() => race([get, get, get]));
    await turns(3);
    for (const item of [1, 2, 3]) queue.putNowait(item);
    assertEquals(await running, 1);
    assertEquals([queue.getNowait(), queue.getNowait()], [2, 3]);
    queue.putNowait(4);
    assertEquals(await race([get, get]), 4);
    assert(queue.empty());
  }),
);

Deno.test(
  "F1 what a loser was granted goes to the next in line",
  virtual(async () => {
    const [a, b] = [new Queue<number>(), new Queue<number>()];
    const running = createTask(() => race([() => a.get(), () => b.get()]));
    await turns(3);
    const next = createTask(() => b.get());
    await turns(3);
    a.putNowait(1);
    b.putNowait(2);
    assertEquals([await running, await next], [1, 2]);
  }),
);

Deno.test(
  "F1 a race takes one item wherever in the loop's budget it comes",
  virtual(async () => {
    // What succeeds at once spends it; once it is spent, the item comes later.
    for (let spent = 0; spent < 300; spent++) {
      const queues = [1, 2, 3].map(() => new Queue<number>());
      const spare = new Queue<number>();
      await new Promise((resolve) => setImmediate(resolve));
      for (let count = spent; count > 0; count--) await spare.put(count);
      queues.forEach((queue) => queue.putNowait(7));
      const value = await race(queues.map((queue) => () => queue.get()));
      assertEquals([value, ...queues.map(({ size }) => size)], [7, 0, 1, 1]);
    }
  }),
);

Deno.test(
  "an event and a sleep that lose leave nothing behind",
  virtual(async () => {
    const [event, other] = [new Event(), new Event()];
    const running = createTask(() =>
      race([() => other.wait(), () => event.wait(), () => sleep(1_000_000)])
    );
    await turns(3);
    event.set();
    other.set();
    assert(await running);
    assertEquals(other.statistics().waiters, 0);
    await sleep(10);
    assertEquals(now(), 10);
  }),
);

Deno.test(
  "of futures that are done in one step one decides, and the other keeps its result",
  virtual(async () => {
    const loop = getRunningLoop();
    const [a, b] = [loop.createFuture<string>(), loop.createFuture<string>()];
    const running = createTask(() => race([() => a, () => b]));
    await turns(3);
    a.setResult("a");
    b.setResult("b");
    assertEquals([await running, b.result()], ["a", "b"]);
  }),
);

Deno.test(
  "a future that loses is cancelled, as by any wait for it, but behind a shield",
  virtual(async () => {
    const loop = getRunningLoop();
    const [a, b] = [loop.createFuture<void>(), loop.createFuture<void>()];
    await race([() => sleep(10), () => a, () => shield(b)]);
    assertEquals([a.cancelled(), b.done()], [true, false]);
  }),
);

Deno.test(
  "a race within a timeout loses nothing when its time is over",
  virtual(async () => {
    const queue = new Queue<number>();
    createTask(() => sleep(10).then(() => queue.putNowait(1)));
    const value = await timeout(10, () =>
      race([
        () => queue.get(),
        slowToEnd(50),
      ])).catch((error) => {
        assert(error instanceof TimeoutError);
        return queue.getNowait();
      });
    assertEquals([value, queue.size], [1, 0]);
  }),
);

// ── Errors ────────────────────────────────────────────────────────────────────

Deno.test(
  "race() throws the error of the first that ends",
  virtual(async () => {
    const failure = new Error("no route");
    const error = await assertRejects(() =>
      race([
        () => sleep(20),
        async () => {
          await sleep(10);
          throw failure;
        },
      ])
    );
    assertStrictEquals(error, failure);
  }),
);

Deno.test(
  "race() throws what a function throws, and calls no further one",
  virtual(async () => {
    let called = false;
    await assertRejects(
      () =>
        race([
          () => {
            throw new Error("at once");
          },
          () => called = true,
        ]),
      Error,
      "at once",
    );
    assertFalse(called);
  }),
);

Deno.test(
  "race() until success gives the first value, whatever failed before",
  virtual(async () => {
    const value = await race([
      () => Promise.reject(new Error("at once")),
      async () => {
        await sleep(5);
        throw new Error("soon");
      },
      () => sleep(10, "here"),
      () => sleep(20, "late"),
    ], { until: "success" });
    assertEquals([value, now()], ["here", 10]);
  }),
);

Deno.test(
  "race() until success throws all errors, in the order of the functions",
  virtual(async () => {
    const fail = (ms: number) => async () => {
      await sleep(ms);
      throw new Error(`after ${ms}`);
    };
    const error = await assertRejects(
      () =>
        race([fail(20), fail(10), () => Promise.reject(new Error("now"))], {
          until: "success",
        }),
      ExceptionGroup,
      "All contenders of race() failed",
    );
    assertEquals(
      error.errors.map((each) => (each as Error).message),
      ["after 20", "after 10", "now"],
    );
  }),
);

Deno.test(
  "a contender that is cancelled by itself ends the race as an error does",
  virtual(async () => {
    const cancelled = async () => {
      currentTask()!.cancel("by itself");
      await sleep(10);
    };
    await assertRejects(
      () => race([cancelled, () => sleep(20)]),
      CancelledError,
      "by itself",
    );
    assertEquals(currentTask()!.cancelling(), 0);
    const value = await race([cancelled, () => sleep(20, "other")], {
      until: "success",
    });
    assertEquals(value, "other");
  }),
);

Deno.test(
  "errors that come after the decision are reported, each once",
  virtual(async () => {
    const reports = collectReports();
    const failLate = (text: string) => async () => {
      try {
        await sleep(1000);
      } finally {
        await sleep(5);
        // deno-lint-ignore no-unsafe-finally -- it is what is tested
        throw new Error(text);
      }
    };
    assertEquals(
      await race([() => sleep(10, "won"), failLate("a"), failLate("b")]),
      "won",
    );
    await assertRejects(
      () => race([() => Promise.reject(new Error("c")), failLate("never")]),
      Error,
      "c",
    );
    assertEquals(
      reports.map(({ message, error }) => [message, (error as Error).message]),
      [
        [
          "Unhandled error in a contender of race(), which another has decided",
          "a",
        ],
        [
          "Unhandled error in a contender of race(), which another has decided",
          "b",
        ],
      ],
    );
  }),
);

Deno.test(
  "of contenders that fail in one step one is thrown, and the other cancelled in time",
  virtual(async () => {
    const reports = collectReports();
    const [a, b] = [new Queue<number>(), new Queue<number>()];
    const running = createTask(() => race([() => a.get(), () => b.get()]));
    await turns(3);
    a.shutdown();
    b.shutdown();
    assertEquals(await outcome(running), "QueueShutDown");
    assertEquals(reports, []);
  }),
);

Deno.test("what ends the program goes through race() bare", async () => {
  for (const until of ["settled", "success"] as const) {
    await assertRejects(
      virtual(async () => {
        await race([
          () => sleep(1000),
          async () => {
            await sleep(1);
            throw new SystemExit(3);
          },
        ], { until });
      }),
      SystemExit,
    );
  }
});

const BAD: readonly [what: string, call: () => unknown, error: string][] = [
  [
    "nothing",
    () => race([]),
    "RangeError: Cannot race as 'fns' must hold at least one function: received none",
  ],
  [
    "a function alone",
    () => race((() => {}) as never),
    "TypeError: Cannot race as 'fns' must be an array of functions: received an anonymous function; put all into one, as in race([one, two])",
  ],
  [
    "a set",
    () => race(new Set([() => {}]) as never),
    "TypeError: Cannot race as 'fns' must be an array of functions: received a Set",
  ],
  [
    "a promise in the list",
    () => race([() => 1, Promise.resolve() as never]),
    "TypeError: Cannot race as 'fns[1]' must be a function: received",
  ],
  [
    "a hole in the list",
    // deno-lint-ignore no-sparse-arrays -- it is what is tested
    () => race([() => 1, , () => 2] as never),
    "TypeError: Cannot race as 'fns[1]' must be a function: received undefined",
  ],
  [
    "another word for until",
    () => race([() => 1], { until: "first" as never }),
    "RangeError: Cannot race as 'until' must be one of settled, success: received",
  ],
];

for (const [what, call, expected] of BAD) {
  Deno.test(`race() refuses ${what} before anything is called`, async () => {
    const error = await assertRejects(async () => await call(), Error);
    const text = `${error.name}: ${error.message}`;
    assertEquals(text.slice(0, expected.length), expected);
  });
}

// ── Cancelling it ─────────────────────────────────────────────────────────────

Deno.test(
  "cancelling a race cancels all contenders, and waits for them",
  virtual(async () => {
    const log: string[] = [];
    const clean = (name: string, ms: number) => async () => {
      try {
        await sleep(1000);
      } catch (error) {
        log.push(`${name}: ${(error as Error).message}`);
        await sleep(ms);
        throw error;
      } finally {
        log.push(`${name} is over`);
      }
    };
    const running = createTask(() => race([clean("a", 20), clean("b", 10)]));
    await sleep(5);
    running.cancel("enough");
    assertEquals(await outcome(running), "CancelledError");
    assert(running.cancelled());
    assertEquals(log, ["a: enough", "b: enough", "b is over", "a is over"]);
    assertEquals(now(), 25);
  }),
);

Deno.test(
  "a race that is cancelled before it begins calls nothing",
  virtual(async () => {
    let called = false;
    const running = createTask(async () => {
      currentTask()!.cancel();
      await race([() => called = true]);
    });
    assertEquals(await outcome(running), "CancelledError");
    assertFalse(called);
  }),
);

Deno.test(
  "a contender that cancels the caller is the last that is started",
  virtual(async () => {
    const queue = new Queue<number>();
    queue.putNowait(1);
    const running = createTask(() => {
      const caller = currentTask()!;
      return race([
        () => {
          caller.cancel();
          return sleep(1000, 0);
        },
        () => queue.get(),
      ]);
    });
    assertEquals([await outcome(running), queue.size], ["CancelledError", 1]);
  }),
);

Deno.test(
  "F2 what was won when the caller is cancelled is given, and the next wait throws",
  virtual(async () => {
    const queue = new Queue<number>();
    const seen: unknown[] = [];
    const running = createTask(async () => {
      seen.push(
        await race([
          () => queue.get(),
          slowToEnd(20),
        ]),
      );
      await sleep(0);
      seen.push("never");
    });
    await turns(3);
    queue.putNowait(1);
    await sleep(10);
    running.cancel();
    assertEquals(await outcome(running), "CancelledError");
    assertEquals(seen, [1]);
  }),
);

Deno.test(
  "F2 what a contender gives though the race is cancelled is given, and the next wait throws",
  virtual(async () => {
    const seen: unknown[] = [];
    const running = createTask(async () => {
      seen.push(
        await race([
          () => sleep(1000, "a"),
          () => shielded(() => sleep(20)).catch(() => "declined"),
        ]),
      );
      await sleep(0);
      seen.push("never");
    });
    await turns(3);
    running.cancel();
    assertEquals(await outcome(running), "CancelledError");
    assertEquals(seen, ["declined"]);
  }),
);

for (const [name, limit] of Object.entries(TEN_MS_LIMITS)) {
  Deno.test(
    `F2 a cancellation of a race that is decided survives the end of ${name} around it`,
    virtual(async () => {
      const block = () => race([() => sleep(1, "won"), slowToEnd(20)]);
      await assertSeenAroundLimit(() => limit(block), [
        "won",
        "CancelledError",
        "slept",
        1,
      ]);
    }),
  );
}

Deno.test(
  "F2 a cancellation of a race that is decided survives that of a group around it",
  virtual(async () => {
    const block = () =>
      taskGroup((group) => {
        group.createTask(() => sleep(10).then(() => group.cancel()));
        return race([() => sleep(1, "won"), slowToEnd(20)]);
      });
    await assertSeenAroundLimit(block, ["won", "CancelledError", "slept", 1]);
  }),
);

Deno.test(
  "F2 the end of a timeout around a race that is decided is no cancellation of what follows",
  virtual(async () => {
    const block = () => race([() => sleep(1, "won"), slowToEnd(20)]);
    assertEquals(await timeout(10, block), "won");
    assertEquals(currentTask()!.cancelling(), 0);
    await sleep(10);
    assertEquals(now(), 31);
  }),
);

for (const [name, limit] of Object.entries(TEN_MS_LIMITS)) {
  Deno.test(
    `a cancellation of a race that ${name} has interrupted reaches the contenders`,
    virtual(async () => {
      // It goes on for a while when it is interrupted, and has something to give.
      const partial = () =>
        sleep(1000).catch(() => sleep(20)).then(() => "partial");
      for (const block of [partial, () => race([partial])]) {
        assertEquals(
          await seenWhenCancelled(11, () => limit(block)),
          ["CancelledError", "slept", "slept", 1],
        );
      }
    }),
  );

  Deno.test(
    `F2 a contender that declines the end of ${name} and a cancellation is given, and the next wait throws`,
    virtual(async () => {
      const decline = () => shielded(() => sleep(20)).catch(() => "declined");
      await assertSeenAroundLimit(() => limit(() => race([decline])), [
        "declined",
        "CancelledError",
        "slept",
        1,
      ]);
    }),
  );
}

Deno.test(
  "a race that is cancelled twice throws the error that counts further out",
  virtual(async () => {
    for (const ms of [5, 15]) {
      const running = createTask(() =>
        timeout(10, () => race([slowToEnd(20)]))
      );
      await sleep(0);
      await sleep(ms);
      running.cancel("from outside");
      await assertRejects(() => running, CancelledError, "from outside");
    }
  }),
);

Deno.test(
  "a race whose contenders await the caller can be cancelled",
  virtual(async () => {
    const running: Task<unknown> = createTask(() =>
      race([async () => await running, async () => await running])
    );
    await turns(3);
    running.cancel("enough");
    await assertRejects(() => running, CancelledError, "enough");
  }),
);

Deno.test(
  "an error of a contender while the race is cancelled is reported",
  virtual(async () => {
    const reports = collectReports();
    const running = createTask(() =>
      race([
        () =>
          sleep(1000).catch(() => {
            throw new Error("cannot clean up");
          }),
        () => sleep(1000),
      ])
    );
    await turns(3);
    running.cancel();
    assertEquals(await outcome(running), "CancelledError");
    assertEquals(reports.map(({ message, error }) => `${message}: ${error}`), [
      "Unhandled error in a contender of race(), which was cancelled: Error: cannot clean up",
    ]);
  }),
);

Deno.test(
  "a timeout ends a race, and the contenders with it",
  virtual(async () => {
    const ended: string[] = [];
    const work = (name: string) => () =>
      sleep(1000).finally(() => ended.push(name));
    await assertRejects(
      () => timeout(10, () => race([work("a"), work("b")])),
      TimeoutError,
    );
    assertEquals([ended, now()], [["a", "b"], 10]);
    assertEquals(await moveOnAfter(10, () => race([work("c")])), undefined);
  }),
);

Deno.test(
  "a signal ends a race with its reason, and is not listened to afterwards",
  virtual(async () => {
    const { signal, abort, listeners } = countingSignal();
    await race([() => sleep(1), () => sleep(2)], { signal });
    assertEquals(listeners(), 0);
    createTask(() => sleep(10).then(() => abort("hung up")));
    const error = await assertRejects(
      () => race([() => sleep(1000)], { signal }),
      CancelledError,
    );
    assertEquals([error.reason, listeners()], ["hung up", 0]);
    let called = false;
    await assertRejects(
      () => race([() => called = true], { signal }),
      CancelledError,
    );
    assertFalse(called);
    assertEquals(currentTask()!.cancelling(), 0);
  }),
);

// ── Where it runs ─────────────────────────────────────────────────────────────

const FACTORIES = {
  "eager": (loop, fn, options) =>
    loop.createTask(fn, { ...options, eagerStart: true }),
  "lazy": (loop, fn, options) =>
    loop.createTask(fn, { ...options, eagerStart: false }),
} satisfies Record<
  string,
  Parameters<ReturnType<typeof getRunningLoop>["setTaskFactory"]>[0]
>;

for (const [name, factory] of Object.entries(FACTORIES)) {
  Deno.test(
    `race() works with a task factory that is ${name}`,
    virtual(async () => {
      getRunningLoop().setTaskFactory(factory);
      const queues = [1, 2, 3].map(() => new Queue<number>());
      const fns = queues.map((queue) => () => queue.get());
      queues.forEach((queue) => queue.putNowait(1));
      await race(fns);
      assertEquals(queues.map(({ size }) => size), [0, 1, 1]);
      queues.forEach((queue) => queue.empty() || queue.getNowait());
      const running = createTask(() => race(fns));
      await turns(8);
      queues.forEach((queue) => queue.putNowait(2));
      await running;
      assertEquals(queues.map(({ size }) => size), [0, 1, 1]);
    }),
  );
}

Deno.test(
  "race() throws what a task factory throws, once the others have ended",
  virtual(async () => {
    let count = 0;
    getRunningLoop().setTaskFactory((loop, fn, options) => {
      if (++count === 2) throw new Error("no more tasks");
      return loop.createTask(fn, options);
    });
    let ended = false;
    await assertRejects(
      () => race([() => sleep(1000).finally(() => ended = true), () => {}]),
      Error,
      "no more tasks",
    );
    assert(ended);
  }),
);

Deno.test(
  "each contender has a copy of the caller's context, and its async context",
  virtual(async () => {
    const variable = new ContextVar("name", { defaultValue: "none" });
    const storage = new AsyncLocalStorage<string>();
    variable.set("caller");
    const seen: unknown[] = [];
    const look = (ms: number) => async () => {
      seen.push(variable.get(), storage.getStore());
      variable.set("contender");
      await sleep(ms);
    };
    await storage.run("store", () => race([look(1), look(2)]));
    assertEquals(seen, ["caller", "store", "caller", "store"]);
    assertEquals(variable.get(), "caller");
  }),
);

Deno.test("race() works outside of any task", async () => {
  const queue = new Queue<number>();
  queue.putNowait(1);
  assertEquals(await race([() => queue.get(), () => sleep(60_000)]), 1);
  assertEquals(await race([() => sleep(60_000), () => sleep(1, 2)]), 2);
});

Deno.test(
  "the call graph shows who awaits the contenders",
  virtual(async () => {
    let contender: Task | null = null;
    const running = createTask(() =>
      race([
        () => {
          contender = currentTask();
          return sleep(10);
        },
      ]), { name: "caller" });
    await turns(2);
    assertEquals(running.getStack(), ["waiting for race() of 1"]);
    assertStringIncludes(formatCallGraph(contender!), "caller");
    await running;
  }),
);

Deno.test(
  "races within races, and of foreign promises, end",
  virtual(async () => {
    const value = await race([
      () => race([() => sleep(30, "c"), () => sleep(10, "a")]),
      () => race([() => sleep(20, "b"), () => sleep(40, "d")]),
    ]);
    assertEquals([value, now()], ["a", 10]);
    const foreign = () =>
      new Promise<string>((resolve) => setImmediate(() => resolve("foreign")));
    assertEquals(await race([() => sleep(60_000, ""), foreign]), "foreign");
  }),
);

Deno.test(
  "a race of 10,000 has one winner, and the others take nothing",
  virtual(async () => {
    const queues = Array.from({ length: 10_000 }, () => new Queue<number>());
    const running = createTask(() =>
      race(queues.map((queue) => () => queue.get()))
    );
    await turns(3);
    queues.forEach((queue, index) => queue.putNowait(index));
    assertEquals(await running, 0);
    assertEquals(queues.reduce((sum, { size }) => sum + size, 0), 9_999);
    assert(queues.every((queue) => queue.statistics().getters === 0));
  }),
);

for (const debug of [false, true]) {
  Deno.test(`race() needs no limit of stacks that can be set${debug ? ", in debug mode too" : ""}`, async () => {
    const own = Object.getOwnPropertyDescriptor(Error, "stackTraceLimit")!;
    Object.defineProperty(Error, "stackTraceLimit", {
      ...own,
      writable: false,
    });
    try {
      const contenders = [() => sleep(60_000), () => sleep(0, "won")];
      assertEquals(await run(() => race(contenders), { debug }), "won");
    } finally {
      Object.defineProperty(Error, "stackTraceLimit", own);
    }
  });
}
