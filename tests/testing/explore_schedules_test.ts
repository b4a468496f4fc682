import {
  createTask,
  exploreSchedules,
  gather,
  getRunningLoop,
  Lock,
  Queue,
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
    error.message,
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
  const refused: [() => Promise<void>, string][] = [
    [
      () => exploreSchedules(Promise.resolve() as never),
      "Cannot explore schedules as 'fn' must be a function",
    ],
    [
      () => exploreSchedules(() => {}, 10 as never),
      "Cannot explore schedules as 'options' must be an object: received 10",
    ],
    [
      () => exploreSchedules(() => {}, { runs: 0 }),
      "Cannot explore schedules as 'runs' must be an integer of at least 1: received 0",
    ],
    [
      () => exploreSchedules(() => {}, { seed: -1 }),
      "Cannot explore schedules as 'seed' must be an integer of at least 0: received -1",
    ],
  ];
  for (const [call, message] of refused) {
    await assertRejects(call, Error, message);
  }
});
