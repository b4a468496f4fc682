import {
  createTask,
  currentTask,
  Event,
  exploreSchedules,
  getRunningLoop,
  Lock,
  Queue,
  runVirtual,
  ScheduleError,
  select,
  Semaphore,
  sleep,
} from "@asyncio/asyncio";
import { select as selectOfTasks } from "@asyncio/asyncio/tasks";
import {
  assert,
  assertEquals,
  assertGreater,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import {
  seenWhenCancelled,
  TEN_MS_LIMITS,
} from "../_support/cancelled_block.ts";
import { outcome } from "../_support/outcome.ts";
import { slowToEnd } from "../_support/slow_clean_up.ts";
import { now, turns, virtual } from "../_support/virtual.ts";

Deno.test("@asyncio/asyncio/tasks has select()", () => {
  assertStrictEquals(selectOfTasks, select);
});

Deno.test(
  "select() gives the key and the value of the first that ends",
  virtual(async () => {
    const selected = await select({
      slow: () => sleep(20, 1),
      quick: () => sleep(10, "two"),
    });
    assertEquals(selected, { key: "quick", value: "two" });
    assertEquals(now(), 10);
    assertEquals(await select({ there: () => 5 }), { key: "there", value: 5 });
  }),
);

Deno.test(
  "select() throws the error of the first that ends",
  virtual(async () => {
    const queue = new Queue<number>();
    const running = createTask(() =>
      select({ item: () => queue.get(), late: () => sleep(1000) })
    );
    await turns(3);
    queue.shutdown();
    assertEquals(await outcome(running), "QueueShutDown");
  }),
);

Deno.test(
  "select() names the tasks after their keys",
  virtual(async () => {
    const names: (string | undefined)[] = [];
    await select({
      one: async () => {
        names.push(currentTask()?.name);
        await sleep(1);
      },
    });
    assertEquals(names, ["one"]);
  }),
);

/** How often each case is taken where all are always ready. */
async function taken(
  rounds: number,
  biased: boolean | undefined,
  isBefore: boolean,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = { a: 0, b: 0, c: 0 };
  for (let round = 0; round < rounds; round++) {
    const [a, b, c] = [new Queue<number>(), new Lock(), new Semaphore(0)];
    await b.acquire();
    const fill = () => {
      // Against the order in which they are listed.
      c.release();
      b.release();
      a.putNowait(1);
    };
    if (isBefore) fill();
    const running = createTask(() =>
      select({
        a: () => a.get(),
        b: async () => await b.acquire(),
        c: () => c.acquire(),
      }, { biased })
    );
    await turns(4);
    if (!isBefore) fill();
    const { key } = await running;
    counts[key]!++;
    assertEquals(
      [a.empty(), b.locked(), c.locked()],
      [key === "a", key === "b", key === "c"],
    );
  }
  return counts;
}

for (const isBefore of [true, false]) {
  const when = isBefore ? "before it begins" : "in one step, as it waits";

  Deno.test(
    `of several that are ready ${when}, select() takes any`,
    virtual(async () => {
      const counts = await taken(300, undefined, isBefore);
      for (const count of Object.values(counts)) assertGreater(count, 60);
    }),
  );

  Deno.test(
    `of several that are ready ${when}, a biased select() takes the first listed`,
    virtual(async () => {
      assertEquals(await taken(50, true, isBefore), { a: 50, b: 0, c: 0 });
    }),
  );
}

Deno.test("in virtual time, each run selects the same", async () => {
  const runs: string[] = [];
  for (let run = 0; run < 2; run++) {
    await runVirtual(async () => {
      let keys = "";
      for (let round = 0; round < 50; round++) {
        keys += (await select({ a: () => 1, b: () => 2 })).key;
      }
      runs.push(keys);
    });
  }
  assertEquals(runs[0], runs[1]);
  assert(runs[0]!.includes("a") && runs[0]!.includes("b"));
});

Deno.test("exploreSchedules() tries each of the cases that are ready", async () => {
  for (const isBefore of [true, false]) {
    const seen = new Set<string>();
    const test = async () => {
      const events = [new Event(), new Event(), new Event()] as const;
      const set = () => events.forEach((event) => event.set());
      if (isBefore) set();
      else createTask(() => sleep(1).then(set));
      const { key } = await select({
        a: () => events[0].wait(),
        b: () => events[1].wait(),
        c: () => events[2].wait(),
      });
      seen.add(key);
    };
    await exploreSchedules(test, { runs: 30 });
    assertEquals([...seen].toSorted(), ["a", "b", "c"]);
  }
});

Deno.test("the seed of a schedule brings its choice back", async () => {
  const test = async () => {
    const { key } = await select({ a: () => 1, b: () => 2, c: () => 3 });
    if (key === "c") throw new Error("c was taken");
  };
  const error = await assertRejects(
    () => exploreSchedules(test),
    ScheduleError,
    "c was taken",
  );
  const again = await assertRejects(
    () => exploreSchedules(test, { runs: 1, seed: error.seed }),
    ScheduleError,
  );
  assertEquals(again.seed, error.seed);
});

Deno.test("a biased select() takes the first listed in every schedule", async () => {
  await exploreSchedules(async () => {
    const event = new Event();
    createTask(() => sleep(10).then(() => event.set()));
    const { key } = await select({
      a: () => event.wait(),
      b: () => event.wait(),
      c: async () => await event.wait(),
    }, { biased: true });
    assertEquals([key, now()], ["a", 10]);
  });
});

Deno.test(
  "a case that was passed over, and whose rival goes on, has its turn",
  virtual(async () => {
    const [a, b] = [new Queue<string>(), new Queue<string>()];
    const running = createTask(() =>
      select({
        // The first listed is asked first, and wants more than there is.
        a: async () => await a.get() + await a.get(),
        b: () => b.get(),
      }, { biased: true })
    );
    await turns(3);
    b.putNowait("b");
    a.putNowait("a");
    assertEquals(await running, { key: "b", value: "b" });
    assertEquals([a.size, b.size], [0, 0]);
  }),
);

Deno.test(
  "a loop of select() gets all items of all queues, each once and in order",
  virtual(async () => {
    const [a, b] = [new Queue<number>(), new Queue<number>()];
    const stop = new Event();
    const got: Record<string, number[]> = { a: [], b: [] };
    const consumer = createTask(async () => {
      while (true) {
        const next = await select({
          a: () => a.get(),
          b: () => b.get(),
          stop: () => stop.wait(),
        });
        if (next.key === "stop") return;
        got[next.key]!.push(next.value);
      }
    });
    for (let item = 0; item < 100; item++) {
      a.putNowait(item);
      if (item % 3 === 0) await turns(item % 5);
      b.putNowait(item);
    }
    await sleep(10);
    stop.set();
    await consumer;
    const all = Array.from({ length: 100 }, (_, item) => item);
    assertEquals(got, { a: all, b: all });
  }),
);

Deno.test(
  "cancelling select() takes nothing",
  virtual(async () => {
    const [a, b] = [new Queue<number>(), new Queue<number>()];
    const running = createTask(() =>
      select({ a: () => a.get(), b: () => b.get() })
    );
    await turns(3);
    running.cancel();
    a.putNowait(1);
    b.putNowait(2);
    assertEquals(await outcome(running), "CancelledError");
    assertEquals([a.size, b.size], [1, 1]);
    assertEquals([a, b].map((queue) => queue.statistics().getters), [0, 0]);
  }),
);

Deno.test(
  "a cancellation of select() that has taken a case survives the end of a timeout around it",
  virtual(async () => {
    const block = async () => {
      const taken = await select({ a: () => sleep(1), b: slowToEnd(20) });
      return taken.key;
    };
    for (const [name, limit] of Object.entries(TEN_MS_LIMITS)) {
      assertEquals(
        await seenWhenCancelled(5, () => limit(block)),
        ["a", "CancelledError", "slept", 1],
        name,
      );
    }
  }),
);

Deno.test(
  "select() works in debug mode",
  virtual(async () => {
    const loop = getRunningLoop();
    loop.setDebug(true);
    // However busy the machine is.
    loop.slowCallbackDuration = Infinity;
    for (const isBefore of [true, false]) {
      assertEquals(await taken(3, true, isBefore), { a: 3, b: 0, c: 0 });
      const counts = await taken(30, false, isBefore);
      for (const count of Object.values(counts)) assertGreater(count, 0);
    }
    loop.setDebug(false);
  }),
);

const BAD: readonly [what: string, call: () => unknown, error: string][] = [
  [
    "nothing",
    () => select({}),
    "RangeError: Cannot select as 'cases' must hold at least one function: received none",
  ],
  [
    "an array",
    () => select([() => {}] as never),
    "TypeError: Cannot select as 'cases' must be an object of functions: received an array",
  ],
  [
    "a function alone",
    () => select((() => {}) as never),
    "TypeError: Cannot select as 'cases' must be an object of functions: received an anonymous function; name them, as in select({ one, two })",
  ],
  [
    "a promise as a case",
    () => select({ a: () => 1, b: Promise.resolve() as never }),
    "TypeError: Cannot select as 'cases.b' must be a function: received",
  ],
  [
    "a bias that is no boolean",
    () => select({ a: () => 1 }, { biased: "a" as never }),
    "TypeError: Cannot select as 'biased' must be a boolean: received",
  ],
];

for (const [what, call, expected] of BAD) {
  Deno.test(`select() refuses ${what} before anything is called`, async () => {
    const error = await assertRejects(async () => await call(), Error);
    const text = `${error.name}: ${error.message}`;
    assertEquals(text.slice(0, expected.length), expected);
  });
}
