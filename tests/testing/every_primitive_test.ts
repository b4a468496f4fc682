/**
 * What tasks share, in all orders, with those who wait in any order, and with
 * each task cancelled, or its timeout over, at each wait: nothing is lost, and
 * nothing is had twice.
 */
import {
  AsyncValue,
  Barrier,
  BoundedSemaphore,
  Broadcast,
  BrokenBarrierError,
  CapacityLimiter,
  Condition,
  createTask,
  Event,
  exploreCancellations,
  exploreSchedules,
  LifoQueue,
  Lock,
  openChannel,
  pooledMap,
  PriorityQueue,
  Queue,
  RateLimiter,
  select,
  Semaphore,
  sleep,
  taskGroup,
  timeout,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertGreater,
  assertLessOrEqual,
} from "@std/assert";

type Work = () => PromiseLike<unknown>;

/** Tasks that may be cancelled: they are waited for, however they end. */
async function tried(...works: Work[]): Promise<void> {
  await Promise.allSettled(
    works.map((work) => createTask(() => timeout(60_000, work))),
  );
}

/** How many are inside at once, at most; and in the end nobody is. */
class Room {
  most = 0;
  #inside = 0;

  /** Stays for a while. */
  async stay(): Promise<void> {
    this.most = Math.max(this.most, ++this.#inside);
    try {
      await sleep(1);
    } finally {
      this.#inside--;
    }
  }

  check(most: number): void {
    assertEquals(this.#inside, 0);
    assertLessOrEqual(this.most, most);
  }
}

/** What went in, and what came out: the same, whatever was cancelled. */
async function conveys(
  queue: Pick<Queue<number>, "put" | "get" | "getNowait" | "size">,
): Promise<void> {
  const [put, got]: [number[], number[]] = [[], []];
  const produce = (first: number) => async () => {
    for (const item of [first, first + 1]) {
      await queue.put(item);
      put.push(item);
    }
  };
  const consume = async () => {
    for (let left = 2; left > 0; left--) got.push(await queue.get());
  };
  const consumer = createTask(() => timeout(60_000, consume));
  await tried(produce(1), produce(11));
  await sleep(1);
  consumer.cancel();
  await Promise.allSettled([consumer]);
  while (queue.size > 0) got.push(queue.getNowait());
  const isUnknown = (item: number) => !put.includes(item);
  assertEquals(new Set(got).size, got.length, "an item came out twice");
  for (const item of put) assert(got.includes(item), `${item} was lost`);
  assertEquals(got.filter(isUnknown), [], "an item came from nowhere");
}

const holds: Record<string, () => Promise<void>> = {
  "a lock has one holder, and is free in the end": async () => {
    const [lock, room] = [new Lock(), new Room()];
    const work = () => lock.with(() => room.stay());
    await tried(work, work, work);
    room.check(1);
    assert(!lock.locked());
  },
  "a semaphore gives out its permits, and has them all in the end":
    async () => {
      const [semaphore, room] = [new BoundedSemaphore(2), new Room()];
      const work = () => semaphore.with(() => room.stay());
      await tried(work, work, work);
      room.check(2);
      assertEquals(semaphore.statistics().value, 2);
    },
  "a semaphore gives several permits at once, or none": async () => {
    const [semaphore, room] = [new Semaphore(2), new Room()];
    const work = (n: number) => async () => {
      await semaphore.acquire(n);
      try {
        await room.stay();
      } finally {
        semaphore.release(n);
      }
    };
    await tried(work(1), work(2), work(1));
    room.check(2);
    assertEquals(semaphore.statistics().value, 2);
  },
  "a capacity limiter lends its tokens, and has them all in the end":
    async () => {
      const [limiter, room] = [new CapacityLimiter(2), new Room()];
      const work = () => limiter.with(() => room.stay());
      await tried(work, work, work);
      room.check(2);
      assertEquals(limiter.borrowedTokens, 0);
    },
  "a rate limiter lets no more through than it may": async () => {
    const limiter = new RateLimiter(2, 1000);
    let passed = 0;
    const work = () => limiter.with(() => void passed++);
    const started = tried(work, work, work);
    await sleep(500);
    assertLessOrEqual(passed, 2);
    await started;
    assertLessOrEqual(passed, 3);
    // Whoever was cancelled has used nothing up.
    await sleep(1000);
    await limiter.acquire(2);
  },
  "a condition hands a notification on, and its lock is free in the end":
    async () => {
      const condition = new Condition();
      let [items, taken] = [0, 0];
      const take = () =>
        condition.with(async () => {
          await condition.waitFor(() => items > 0);
          items--;
          taken++;
        });
      const takers = tried(take, take);
      // Not to be cancelled, as it belongs to the test.
      for (let item = 0; item < 2; item++) {
        await sleep(1);
        await condition.with(() => {
          items++;
          condition.notify();
        });
      }
      await takers;
      assertEquals(items + taken, 2);
      assert(!condition.locked());
    },
  "an event that is set lets everybody through": async () => {
    const event = new Event();
    let passed = 0;
    const wait = () => event.wait().then(() => void passed++);
    const waiting = tried(wait, wait, wait);
    await sleep(1);
    event.set();
    await waiting;
    assertLessOrEqual(passed, 3);
    assertGreater(passed, 1);
    assertEquals(event.statistics().waiters, 0);
  },
  "a barrier lets all through together, with a number each": async () => {
    const barrier = new Barrier(2);
    const numbers: number[] = [];
    const wait = async () => {
      try {
        numbers.push(await barrier.wait());
      } catch (error) {
        if (!(error instanceof BrokenBarrierError)) throw error;
      }
    };
    const waiting = tried(wait, wait);
    await sleep(5);
    barrier.abort();
    await waiting;
    assert(["", "0", "1", "0,1"].includes(numbers.toSorted().join()));
    assertEquals(barrier.statistics().waiters, 0);
  },
  "a value that is waited for is seen, however often it changes": async () => {
    const value = new AsyncValue(0);
    const seen: number[] = [];
    const wait = () =>
      value.waitFor((now) => now >= 2).then((now) => void seen.push(now));
    const waiting = tried(wait, wait);
    for (const next of [1, 2, 3]) {
      await sleep(1);
      value.value = next;
    }
    await waiting;
    assert(seen.every((now) => now >= 2), `${seen}`);
    assertGreater(seen.length, 0);
  },
  "a queue loses no item": () => conveys(new Queue({ maxSize: 1 })),
  "a queue by priority loses no item": () =>
    conveys(new PriorityQueue<number>({ maxSize: 1 })),
  "a queue whose last comes first loses no item": () =>
    conveys(new LifoQueue<number>({ maxSize: 1 })),
  "a channel that hands over brings each item once": async () => {
    const [send, receive] = openChannel<number>(0);
    const [sent, got]: [number[], number[]] = [[], []];
    const deliver = (item: number) => async () => {
      await send.send(item);
      sent.push(item);
    };
    const take = async () => {
      for (;;) got.push(await receive.receive());
    };
    const taker = createTask(() => timeout(60_000, take));
    await tried(deliver(1), deliver(2)).finally(() => taker.cancel());
    await Promise.allSettled([taker]);
    assertEquals(got.toSorted(), sent.toSorted());
    send.close();
    receive.close();
  },
  "a broadcast brings each subscriber all or nothing of an item": async () => {
    const hub = new Broadcast<number>({ capacity: 1 });
    const subscribers = [hub.subscribe(), hub.subscribe()];
    const got: number[][] = [[], []];
    const published: number[] = [];
    const publish = async () => {
      for (const item of [1, 2]) {
        await hub.publish(item);
        published.push(item);
      }
    };
    const publishing = tried(publish);
    await Promise.all(
      subscribers.map(async (subscriber, place) => {
        // Not to be cancelled: they are the test's own.
        for await (const item of subscriber) got[place]!.push(item);
      }).concat(publishing.finally(() => hub.close())),
    );
    assertEquals(got[0], got[1]);
    assertEquals(got[0]!.slice(0, published.length), published);
  },
  "a group ends with its tasks": async () => {
    const room = new Room();
    await tried(() =>
      taskGroup((group) => {
        group.createTask(() => room.stay());
        group.createTask(() => room.stay());
      })
    );
    room.check(2);
  },
  "a timeout ends what is inside of it": async () => {
    const room = new Room();
    await tried(() => timeout(1, () => room.stay()));
    room.check(1);
  },
  "a pool of workers leaves none of them behind": async () => {
    const room = new Room();
    await tried(async () => {
      const results = pooledMap([1, 2, 3], () => room.stay(), { limit: 2 });
      for await (const _ of results);
    });
    room.check(2);
  },
  "select() takes an item, or leaves it": async () => {
    const queue = new Queue<string>();
    const stop = new Event();
    let got = 0;
    const choosing = tried(async () => {
      const { key } = await select({
        item: () => queue.get(),
        stop: () => stop.wait(),
      });
      if (key === "item") got++;
    });
    await sleep(1);
    queue.putNowait("item");
    stop.set();
    await choosing;
    assertEquals(got + queue.size, 1);
  },
};

/** More orders than this are tried by chance. */
const MOST_RUNS = 400;

for (const [what, test] of Object.entries(holds)) {
  Deno.test(`in every order: ${what}`, async () => {
    const { complete } = await exploreSchedules(test, {
      strategy: "exhaustive",
      runs: MOST_RUNS,
      leftovers: "refuse",
    });
    for (const strategy of ["random", "pct"] as const) {
      // deno-lint-ignore no-await-in-loop -- one strategy after the other
      await exploreSchedules(test, {
        strategy,
        handovers: true,
        runs: complete ? 50 : 200,
      });
    }
  });

  Deno.test(`whoever is interrupted, and wherever: ${what}`, async () => {
    for (const by of ["cancel", "timeout"] as const) {
      // deno-lint-ignore no-await-in-loop -- one after the other
      const { complete, runs } = await exploreCancellations(test, {
        by,
        leftovers: "refuse",
      });
      assert(complete);
      assertGreater(runs, 1);
    }
  });
}
