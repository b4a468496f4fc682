import {
  createTask,
  exploreCancellations,
  exploreSchedules,
  gather,
  getRunningLoop,
  Lock,
  Queue,
  run,
  ScheduleError,
  sleep,
} from "@asyncio/asyncio";
import * as testing from "@asyncio/asyncio/testing";
import {
  assert,
  assertEquals,
  assertGreater,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { hostSignals } from "../../platform/signals.ts";

/** The orders in which `runs` runs of `test` say what they say. */
async function ordersOf(
  test: (say: (word: string) => void) => PromiseLike<unknown>,
  options: { runs?: number; seed?: number } = {},
): Promise<string[]> {
  const orders: string[] = [];
  await exploreSchedules(async () => {
    const words: string[] = [];
    await test((word) => words.push(word));
    orders.push(words.join(""));
  }, options);
  return orders;
}

/** Three tasks that say their names, once they have slept. */
function sayAfter(ms: number) {
  return (say: (word: string) => void) =>
    gather(["a", "b", "c"].map((name) => async () => {
      await sleep(ms);
      say(name);
    }));
}

const ALL_SIX = ["abc", "acb", "bac", "bca", "cab", "cba"];

Deno.test("@asyncio/asyncio/testing has exploreSchedules()", () => {
  assertStrictEquals(testing.exploreSchedules, exploreSchedules);
});

Deno.test("exploreSchedules() runs a test 100 times, in virtual time", async () => {
  let runs = 0;
  await exploreSchedules(async () => {
    runs++;
    await sleep(3_600_000);
    assertEquals(getRunningLoop().time(), 3_600_000);
  });
  assertEquals(runs, 100);
});

for (const ms of [0, 10]) {
  Deno.test(`tasks whose sleep(${ms}) ends together come in every order`, async () => {
    const orders = await ordersOf(sayAfter(ms));
    assertEquals([...new Set(orders)].toSorted(), ALL_SIX);
  });
}

Deno.test("tasks that start together come in every order", async () => {
  const orders = await ordersOf((say) =>
    gather(["a", "b", "c"].map((name) => async () => say(name)))
  );
  assertEquals([...new Set(orders)].toSorted(), ALL_SIX);
});

Deno.test("a seed is an order: the same again, and another with the next", async () => {
  const orders = await ordersOf(sayAfter(1), { runs: 20, seed: 5 });
  assertEquals(await ordersOf(sayAfter(1), { runs: 20, seed: 5 }), orders);
  assertEquals(
    await ordersOf(sayAfter(1), { runs: 19, seed: 6 }),
    orders.slice(1),
  );
});

Deno.test("what has an order of its own keeps it", async () => {
  const orders = await ordersOf(async (say) => {
    const loop = getRunningLoop();
    const lock = new Lock();
    const queue = new Queue<string>();
    await lock.acquire();
    const tasks = ["1", "2", "3"].map((name) =>
      createTask(async () => {
        await sleep(Number(name));
        await lock.with(() => say(name));
        say(await queue.get());
      })
    );
    await sleep(4);
    lock.release();
    await sleep(1);
    for (const word of ["x", "y", "z"]) {
      queue.putNowait(word);
      loop.callSoon(say, word.toUpperCase());
    }
    await gather(tasks);
  });
  assertEquals(new Set(orders).size, 1);
  assert(orders[0]!.startsWith("123"));
  const only = (words: string) =>
    [...orders[0]!].filter((word) => words.includes(word)).join("");
  assertEquals(only("xyz"), "xyz");
  assertEquals(only("XYZ"), "XYZ");
});

Deno.test("an order that makes a test fail is told, and can be had again", async () => {
  let last = "";
  const test = async () => {
    await sayAfter(1)((name) => last = name);
    if (last === "a") throw new Error(`${last} was last`);
  };
  const error = await assertRejects(
    () => exploreSchedules(test),
    ScheduleError,
  );
  assertEquals(
    error.message.split("\n")[0],
    `Failed with seed ${error.seed} (run ${error.seed + 1} of 100): a was last`,
  );
  assertEquals((error.cause as Error).message, "a was last");
  assertGreater(error.seed, -1);
  const again = await assertRejects(
    () => exploreSchedules(test, { seed: error.seed, runs: 1 }),
    ScheduleError,
  );
  assertEquals(again.seed, error.seed);
});

Deno.test("exploreSchedules() ends with the first failure", async () => {
  let runs = 0;
  await assertRejects(
    () =>
      exploreSchedules(() => {
        return ++runs === 3 ? Promise.reject("a string") : undefined;
      }),
    ScheduleError,
    "Failed with seed 2 (run 3 of 100): a string",
  );
  assertEquals(runs, 3);
});

Deno.test("exploreSchedules() refuses what makes no sense", async () => {
  const call = (options: object) => () =>
    exploreSchedules(() => {}, options as never);
  const refused: [() => Promise<unknown>, ErrorConstructor, string][] = [
    [
      () => exploreSchedules(Promise.resolve() as never),
      TypeError,
      "as 'fn' must be a function",
    ],
    [
      () => exploreSchedules(() => {}, 10 as never),
      TypeError,
      "as 'options' must be an object: received 10",
    ],
    [
      call({ runs: 0 }),
      RangeError,
      "as 'runs' must be an integer of at least 1: received 0",
    ],
    [
      call({ runs: "many" }),
      TypeError,
      "as 'runs' must be an integer: received",
    ],
    [
      call({ seed: -1 }),
      RangeError,
      "as 'seed' must be an integer of at least 0: received -1",
    ],
    [
      call({ seed: 1.5 }),
      RangeError,
      "as 'seed' must be an integer of at least 0: received 1.5",
    ],
    [
      call({ strategy: "all" }),
      RangeError,
      "as 'strategy' must be one of random, pct, exhaustive: received",
    ],
    [
      call({ handovers: "yes" }),
      TypeError,
      "as 'handovers' must be a boolean: received",
    ],
    [
      call({ replay: "0:1.x" }),
      TypeError,
      "as 'replay' must be the 'replay' of a ScheduleError: received",
    ],
  ];
  for (const [refuse, errorClass, message] of refused) {
    // deno-lint-ignore no-await-in-loop -- one after the other
    await assertRejects(
      refuse,
      errorClass,
      `Cannot explore schedules ${message}`,
    );
  }
});

/** Two tasks that read, wait and write: one of the increments may be lost. */
async function twoIncrements(): Promise<void> {
  let counter = 0;
  const increment = async () => {
    const before = counter;
    await sleep(10);
    counter = before + 1;
  };
  await gather([increment, () => sleep(10).then(increment)]);
  assertEquals(counter, 2);
}

for (const strategy of ["random", "pct", "exhaustive"] as const) {
  Deno.test(`strategy "${strategy}" finds a check before a wait, and its replay fails again`, async () => {
    const error = await assertRejects(
      () => exploreSchedules(twoIncrements, { strategy }),
      ScheduleError,
    );
    const again = await assertRejects(
      () => exploreSchedules(twoIncrements, { replay: error.replay }),
      ScheduleError,
      `Failed with replay "${error.replay}": `,
    );
    assertEquals(again.replay, error.replay);
    assertEquals(
      (again.cause as Error).message,
      (error.cause as Error).message,
    );
  });
}

Deno.test("the exhaustive strategy sees each order once, and says that it was all", async () => {
  const orders: string[] = [];
  const seen = await exploreSchedules(async () => {
    const words: string[] = [];
    // Each of these wakes alone: there is nothing to choose but who starts.
    const tasks = ["a", "b", "c"].map((name, index) =>
      createTask(async () => {
        await sleep(3 - index);
        words.push(name);
      })
    );
    for (const task of tasks) await task;
    await sayAfter(1)((name) => words.push(name));
    orders.push(words.slice(3).join(""));
  }, { strategy: "exhaustive" });
  assertEquals(seen.complete, true);
  assertEquals(seen.coverage, 1);
  assertEquals(seen.runs, orders.length);
  assertEquals([...new Set(orders)].toSorted(), ALL_SIX);
  // Who starts first of three, and wakes first of three, twice over.
  assertEquals(seen.runs % 6, 0);
  assertGreater(seen.choices, 2);
});

Deno.test("the exhaustive strategy says how much it has seen where it was stopped", async () => {
  const test = async () => {
    await sayAfter(1)(() => {});
  };
  const options = { strategy: "exhaustive", runs: 3 } as const;
  const { runs, coverage, complete } = await exploreSchedules(test, options);
  assertEquals([runs, complete], [3, false]);
  assert(coverage! > 0 && coverage! < 1, `${coverage}`);
});

Deno.test("what is left to chance is not said to be all", async () => {
  const seen = await exploreSchedules(sayNothing, { runs: 5 });
  assertEquals(seen, { runs: 5, choices: 0, coverage: null, complete: false });
});

function sayNothing(): void {}

Deno.test("a failure is told in the fewest choices, as a story", async () => {
  const test = async () => {
    const words: string[] = [];
    const say = (name: string, ms: number) =>
      createTask(async () => {
        await sleep(ms);
        words.push(name);
      }, { name });
    // All but one pair of these orders are of no account.
    const noise = Array.from({ length: 12 }, (_, n) => say(`noise${n}`, 5));
    const tasks = [...noise, say("writer", 10), say("reader", 10)];
    await gather(tasks);
    if (words.indexOf("reader") < words.indexOf("writer")) {
      throw new Error("read before it was written");
    }
  };
  const error = await assertRejects(
    () => exploreSchedules(test),
    ScheduleError,
  );
  const [first, ...story] = error.message.split("\n");
  assert(first!.endsWith("read before it was written"));
  assertEquals(story.length, 2);
  assert(/"reader".* goes before .*( and \d+ more|"writer")/.test(story[0]!));
  assertEquals(story[1], `  To repeat: { replay: "${error.replay}" }`);
});

Deno.test("a failure that does not come again in its order is said to depend on more", async () => {
  let failed = false;
  const error = await assertRejects(
    () =>
      exploreSchedules(async () => {
        let last = "";
        await sayAfter(1)((name) => last = name);
        if (last === "a" && !failed) {
          failed = true;
          throw new Error("once");
        }
      }),
    ScheduleError,
  );
  assert(error.message.includes("it depends on more than the order"));
});

Deno.test("a lock makes two increments safe in all orders", async () => {
  const seen = await exploreSchedules(async () => {
    const lock = new Lock();
    let counter = 0;
    const increment = () =>
      lock.with(async () => {
        const before = counter;
        await sleep(10);
        counter = before + 1;
      });
    await gather([
      increment,
      () => sleep(10).then(increment),
      () => increment(),
    ]);
    assertEquals(counter, 3);
  }, { strategy: "exhaustive" });
  assertEquals(seen.complete, true);
});

Deno.test("an exploration listens to no signal: one that ends the program is no failure", async () => {
  const listened: string[] = [];
  const { addSignalListener } = hostSignals;
  Object.assign(hostSignals, {
    addSignalListener: (...args: Parameters<typeof addSignalListener>) => {
      listened.push(args[0]);
      addSignalListener.apply(hostSignals, args);
    },
  });
  try {
    await run(() => sleep(0));
    assertGreater(listened.splice(0).length, 0);
    await exploreSchedules(() => sleep(1), { runs: 2 });
    await exploreCancellations(() =>
      createTask(() => sleep(1)).catch(() => {})
    );
    assertEquals(listened, []);
  } finally {
    Object.assign(hostSignals, { addSignalListener });
  }
});

Deno.test("an aborted signal ends exploreSchedules() between two runs, or before the first", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const reason = new Error("out of patience");
  let runs = 0;
  const test = async () => {
    await gather([() => sleep(1), () => sleep(1)]);
    if (++runs === 2) controller.abort(reason);
  };
  for (let call = 0; call < 2; call++) {
    const error = await assertRejects(() => exploreSchedules(test, { signal }));
    assertStrictEquals(error, reason);
    assertEquals(runs, 2);
  }
});
