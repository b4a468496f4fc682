/**
 * What operations cost, counted: microtasks, turns and timers of the host,
 * switches of the async context, writes. No clock is asked, so a slow machine
 * changes nothing; a change here is a change of the design, to be looked at in
 * bench/ before the number is.
 */
import {
  type Alarm,
  type AlarmTarget,
  type Clock,
  createTask,
  currentTask,
  Event,
  Future,
  gather,
  getRunningLoop,
  Lock,
  newEventLoop,
  openConnection,
  Queue,
  race,
  run,
  select,
  simulate,
  sleep,
  StreamReader,
  StreamWriter,
  taskGroup,
  timeout,
  VirtualClock,
} from "@asyncio/asyncio";
import { assert, assertEquals } from "@std/assert";
import { AsyncLocalStorage } from "node:async_hooks";
import { currentScope } from "../loop/current.ts";
import { kernelOf } from "../loop/kernel.ts";
import { hostTimers } from "../platform/timers.ts";
import type { HostConnection } from "../platform/types/net.ts";
import { StreamProtocol } from "../streams/stream_protocol.ts";
import { transportInternals } from "../streams/transport.ts";
import { runProgram } from "./_support/programs.ts";
import { addEcho, PLACE } from "./_support/simulated.ts";
import { countingSignal, virtual } from "./_support/virtual.ts";

/** Steps of a promise chain beside `work`, from its call until it is over. */
async function microtasksOf(work: () => PromiseLike<unknown>): Promise<number> {
  let count = 0;
  let over = false;
  const chain = (async () => {
    for (; !over && count < 1000; count++) await undefined;
  })();
  await work();
  over = true;
  const counted = count;
  await chain;
  return counted;
}

/** How often `object[name]` is called while `body` runs. */
async function callsOf<N extends string>(
  object: { [name in N]: (...args: never[]) => unknown },
  name: N,
  body: () => PromiseLike<unknown> | unknown,
): Promise<number> {
  const original = object[name];
  let calls = 0;
  object[name] = function (this: unknown, ...args: never[]) {
    calls++;
    return original.apply(this, args);
  };
  try {
    await body();
  } finally {
    object[name] = original;
  }
  return calls;
}

/** Virtual time that counts what a loop asks of its host. */
class CountingClock implements Clock {
  alarms = 0;
  readonly #clock = new VirtualClock();

  now(): number {
    return this.#clock.now();
  }

  setAlarm(when: number, target: AlarmTarget): Alarm {
    this.alarms++;
    return this.#clock.setAlarm(when, target);
  }
}

/** Alarms set by a loop that runs `main`. */
async function alarmsOf(main: () => Promise<unknown>): Promise<number> {
  const clock = new CountingClock();
  await run(main, { loop: newEventLoop({ clock }) });
  return clock.alarms;
}

// ── start-up ───────────────────────────────────────────────────────────────

Deno.test({
  name: "the import of everything leaves Node's process alone on Deno",
  // The first look at it loads most of Node's modules there; on Node they are
  // loaded anyway.
  ignore: !("Deno" in globalThis),
  async fn() {
    const { stdout, stderr } = await runProgram("import_everything");
    assertEquals([stdout, stderr], ["0\n", ""]);
  },
});

// ── microtasks ─────────────────────────────────────────────────────────────

const MICROTASKS: Readonly<
  Record<string, [number, () => PromiseLike<unknown>]>
> = {
  "a promise that is resolved": [1, () => Promise.resolve()],
  "sleep(0)": [2, () => sleep(0)],
  "a task that returns at once": [5, () => createTask(() => 1)],
  "a task of an async function": [5, () => createTask(async () => {})],
  "a task that starts eagerly": [
    3,
    () => createTask(async () => {}, { eagerStart: true }),
  ],
  "a lock that is free": [1, () => new Lock().acquire()],
  "an event that is set": [1, () => {
    const event = new Event();
    event.set();
    return event.wait();
  }],
  "an item that is in the queue": [1, () => {
    const queue = new Queue<number>();
    queue.putNowait(1);
    return queue.get();
  }],
  "an item that is put while one waits": [2, () => {
    const queue = new Queue<number>();
    const item = queue.get();
    queue.putNowait(1);
    return item;
  }],
  "an event that is set while one waits": [2, () => {
    const event = new Event();
    const set = event.wait();
    event.set();
    return set;
  }],
  "a lock that is released while one waits": [4, async () => {
    const lock = new Lock();
    await lock.acquire();
    const acquired = lock.acquire();
    lock.release();
    await acquired;
  }],
  "a future that is set while one waits": [4, async () => {
    const future = getRunningLoop().createFuture<number>();
    queueMicrotask(() => future.setResult(1));
    await future;
  }],
  "a timeout that does not fire": [2, () => timeout(1000, async () => {})],
  "a group of one task": [8, () =>
    taskGroup((group) => {
      group.createTask(async () => {});
    })],
};

for (const [what, [count, work]] of Object.entries(MICROTASKS)) {
  Deno.test(
    `${what} takes ${count} microtasks`,
    virtual(async () => {
      assertEquals(await microtasksOf(work), count);
    }),
  );
}

Deno.test(
  "a task that is done takes 3 microtasks",
  virtual(async () => {
    const task = createTask(() => 1);
    await task;
    assertEquals(await microtasksOf(() => task), 3);
  }),
);

// ── iterations of the loop ─────────────────────────────────────────────────

/** Counts the iterations of the running loop. */
function countIterations(): () => number {
  let [count, last] = [0, 0];
  kernelOf(getRunningLoop()).beforeStep = (_, left) => {
    // Within an iteration they get ever fewer.
    if (left >= last) count++;
    return last = left;
  };
  return () => count;
}

/** Iterations of the running loop from the call of `work` until it is over. */
async function iterationsOf(work: () => PromiseLike<unknown>): Promise<number> {
  const iterations = countIterations();
  await work();
  return iterations();
}

const THOUSAND = Array.from({ length: 1000 }, (_, i) => i);

Deno.test(
  "a thousand callbacks run in one iteration",
  virtual(async () => {
    const loop = getRunningLoop();
    const done = loop.createFuture<void>();
    let left = THOUSAND.length;
    const callback = () => {
      if (--left === 0) done.setResult();
    };
    assertEquals(
      await iterationsOf(async () => {
        for (const _ of THOUSAND) loop.callSoon(callback);
        await done;
      }),
      2, // That of the callbacks, and that of the future.
    );
  }),
);

Deno.test(
  "an event wakes a thousand tasks in one iteration",
  virtual(async () => {
    const event = new Event();
    const awake: number[] = [];
    const iterations = countIterations();
    const tasks = THOUSAND.map(() =>
      createTask(async () => {
        await event.wait();
        awake.push(iterations());
      })
    );
    await sleep(0);
    const before = iterations();
    event.set();
    await gather(tasks);
    assertEquals(awake, THOUSAND.map(() => before + 1));
  }),
);

Deno.test(
  "a gather of a thousand tasks takes three iterations",
  virtual(async () => {
    const iterations = (count: number) =>
      iterationsOf(() =>
        gather(THOUSAND.slice(0, count).map((i) => async () => i))
      );
    // They start in the first and the gathering ends in the last. Between them
    // are those ends of tasks for which the budget of the turn is spent.
    assertEquals(await iterations(1), 2);
    assertEquals(await iterations(1000), 3);
  }),
);

// ── timers of the host ─────────────────────────────────────────────────────

Deno.test("a thousand sleeps until one instant set one timer of the host", async () => {
  assertEquals(
    await alarmsOf(() => gather(THOUSAND.map(() => () => sleep(10)))),
    1,
  );
});

Deno.test("a thousand sleeps set one timer of the host for each instant", async () => {
  assertEquals(
    await alarmsOf(() => gather(THOUSAND.map((i) => () => sleep(1 + i % 10)))),
    10,
  );
});

Deno.test("a thousand timeouts that do not fire set one timer of the host", async () => {
  assertEquals(
    await alarmsOf(async () => {
      for (const _ of THOUSAND) await timeout(1000, () => sleep(0));
    }),
    1,
  );
});

Deno.test("a timer that is cancelled in its iteration costs the host nothing", async () => {
  assertEquals(
    await alarmsOf(async () => {
      const loop = getRunningLoop();
      for (const _ of THOUSAND) loop.callLater(1000, () => {}).cancel();
      await sleep(0);
    }),
    0,
  );
});

// ── turns of the host ──────────────────────────────────────────────────────

Deno.test("ten thousand switches take a turn of the host for each 256", async () => {
  const turns = await callsOf(
    hostTimers,
    "setImmediate",
    () =>
      run(async () => {
        for (let i = 0; i < 10_000; i++) await sleep(0);
      }),
  );
  assertEquals(turns, Math.floor(10_000 / 256));
});

Deno.test("ten thousand items at hand take a turn of the host for each 256", async () => {
  const turns = await callsOf(
    hostTimers,
    "setImmediate",
    () =>
      run(async () => {
        const queue = new Queue<number>();
        for (let i = 0; i < 10_000; i++) queue.putNowait(i);
        for (let i = 0; i < 10_000; i++) await queue.get();
      }),
  );
  assertEquals(turns, Math.floor(10_000 / 256));
});

// ── async context ──────────────────────────────────────────────────────────

/** Times the host was told to carry another value. */
async function contextSwitchesOf(
  main: () => PromiseLike<unknown>,
): Promise<number> {
  const host = AsyncLocalStorage.prototype as unknown as Record<
    "run" | "enterWith",
    () => unknown
  >;
  let runs = 0;
  const enters = await callsOf(host, "enterWith", async () => {
    runs = await callsOf(host, "run", () => run(main));
  });
  return runs + enters;
}

Deno.test("the async context is switched once a task, and never for a switch", async () => {
  const none = await contextSwitchesOf(async () => {});
  assertEquals(
    await contextSwitchesOf(async () => {
      for (const _ of THOUSAND) await sleep(0);
    }),
    none,
  );
  assertEquals(
    await contextSwitchesOf(() => gather(THOUSAND.map((i) => async () => i))),
    none + THOUSAND.length,
  );
});

Deno.test("the async context is never switched for a lock or a queue", async () => {
  const none = await contextSwitchesOf(async () => {});
  assertEquals(
    await contextSwitchesOf(async () => {
      const [lock, queue] = [new Lock(), new Queue<number>()];
      for (const i of THOUSAND) {
        await lock.acquire();
        const item = queue.get();
        await queue.put(i);
        await item;
        lock.release();
      }
    }),
    none,
  );
});

Deno.test("the async context is not switched for a callback that does not ask for it", async () => {
  const none = await contextSwitchesOf(async () => {});
  assertEquals(
    await contextSwitchesOf(async () => {
      for (const _ of THOUSAND) getRunningLoop().callSoon(() => {});
      await sleep(0);
    }),
    none,
  );
  assertEquals(
    await contextSwitchesOf(async () => {
      getRunningLoop().callSoon(() => currentTask());
      await sleep(0);
    }),
    none + 1,
  );
});

// ── what is left behind ────────────────────────────────────────────────────

Deno.test(
  "a thousand waits of all kinds leave nothing in their scope",
  virtual(async () => {
    const [event, lock, queue] = [new Event(), new Lock(), new Queue<number>()];
    event.set();
    for (const i of THOUSAND) {
      await sleep(i % 2);
      await event.wait();
      await lock.acquire();
      lock.release();
      const item = queue.get();
      queue.putNowait(i);
      await item;
      await timeout(1000, () => sleep(1));
      await taskGroup((group) => {
        group.createTask(async () => i);
      });
      const task = createTask(() => sleep(1000));
      task.cancel();
      await task.catch(() => {});
    }
    const { waits, children } = currentScope();
    assertEquals([waits, children], [null, null]);
  }),
);

Deno.test(
  "a thousand tasks leave no listener on the signal they were given",
  virtual(async () => {
    const { signal, listeners } = countingSignal();
    for (const i of THOUSAND) {
      await createTask(() => sleep(i % 2), { signal });
    }
    assertEquals(listeners(), 0);
  }),
);

// ── growth ──────────────────────────────────────────────────────────────────

/** What is looked at, scheduled and asked of the host while `work` runs. */
async function looksOf(work: () => Promise<unknown>): Promise<number> {
  let total = 0;
  const count = async <N extends string>(
    object: { [name in N]: (...args: never[]) => unknown },
    name: N,
    inner: () => Promise<unknown>,
  ) => {
    const calls = await callsOf(object, name, inner);
    total += calls;
  };
  const { kernel } = currentScope();
  await count(
    Future.prototype,
    "done",
    () =>
      count(
        kernel,
        "push",
        () =>
          count(hostTimers, "queueMicrotask", () =>
            count(hostTimers, "setImmediate", work)),
      ),
  );
  return total;
}

const GROWING: Readonly<Record<string, (count: number) => Promise<unknown>>> = {
  "a race of waits": async (count) => {
    const never = new Event();
    const losers = Array.from({ length: count }, () => () => never.wait());
    await race<unknown>([...losers, () => sleep(0)]);
    assertEquals(never.statistics().waiters, 0);
  },
  "a race of functions": async (count) => {
    const never = new Event();
    const loser = async () => {
      await never.wait();
    };
    await race([...Array.from({ length: count }, () => loser), () => sleep(0)]);
    assertEquals(never.statistics().waiters, 0);
  },
  "a race that is cancelled": async (count) => {
    const never = new Event();
    const contender = () => never.wait();
    const running = createTask(() =>
      race(Array.from({ length: count }, () => contender))
    );
    await sleep(0);
    running.cancel();
    await running.catch(() => {});
    assertEquals(never.statistics().waiters, 0);
  },
  "a select of queues that all have something": async (count) => {
    const queues = Array.from({ length: count }, () => new Queue<number>());
    const running = createTask(() =>
      select(Object.fromEntries(
        queues.map((queue, index) => [`${index}`, () => queue.get()]),
      ))
    );
    await sleep(0);
    for (const queue of queues) queue.putNowait(1);
    await running;
    assertEquals(queues.filter((queue) => queue.empty()).length, 1);
  },
  "a group with a limit": (count) =>
    taskGroup((group) => {
      for (let i = count; i > 0; i--) group.createTask(() => sleep(0));
    }, { limit: 10 }),
};

for (const [what, work] of Object.entries(GROWING)) {
  Deno.test(
    `${what} looks at each of ten times as many about as often`,
    virtual(async () => {
      const few = await looksOf(() => work(1000)) / 1000;
      const many = await looksOf(() => work(10_000)) / 10_000;
      assert(few > 0.5, `it was counted: ${few}`);
      assert(many < few * 1.2 + 1, `${few} each, and ${many} of ten times`);
    }),
  );
}

// ── writes ─────────────────────────────────────────────────────────────────

/** A connection whose system takes at once what it is given. */
function countingConnection(): {
  readonly host: HostConnection;
  readonly writes: number[];
} {
  const writes: number[] = [];
  let written: (count: number) => void = () => {};
  const host: HostConnection = {
    localAddress: null,
    remoteAddress: null,
    isTls: false,
    alpnProtocol: null,
    start(receiver) {
      written = (count) => receiver.written(count);
    },
    pause() {},
    resume() {},
    write(bytes) {
      writes.push(bytes.length);
      queueMicrotask(() => written(bytes.length));
    },
    closeWrite() {},
    close() {},
    abort() {},
  };
  return { host, writes };
}

Deno.test(
  "a thousand small writes in one step are one write of the system",
  virtual(async () => {
    const { host, writes } = countingConnection();
    const reader = new StreamReader();
    const protocol = new StreamProtocol(reader);
    const scope = currentScope().kernel.root;
    const transport = transportInternals.open({ scope, host, protocol });
    const writer = new StreamWriter(transport, protocol, reader);
    for (const _ of THOUSAND) writer.write("small\n\n");
    await writer.drain();
    await sleep(0);
    assertEquals(writes, [7000]);
    writer.close();
    await writer.waitClosed();
  }),
);

Deno.test("an exchange of lines between simulated hosts takes two turns of the host", async () => {
  const turnsOf = (exchanges: number) =>
    callsOf(hostTimers, "setImmediate", () =>
      simulate(async (sim) => {
        addEcho(sim);
        const [reader, writer] = await openConnection(PLACE);
        for (let i = 0; i < exchanges; i++) {
          writer.write("hello\n");
          await reader.readLine();
        }
        writer.close();
      }));
  // One for each jump of time: a line arrives.
  assertEquals(await turnsOf(200) - await turnsOf(100), 200);
});
