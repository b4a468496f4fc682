import {
  allTasks,
  cancelOn,
  CapacityLimiter,
  currentDeadline,
  interval,
  moveOnAfter,
  pooledMap,
  RateLimiter,
  retry,
  Semaphore,
  shared,
  sleep,
  timeout,
} from "@asyncio/asyncio";
import { assert, assertEquals } from "@std/assert";
import { hasGc, leftBehind } from "./_support/gc.ts";
import { virtual } from "./_support/virtual.ts";

/** Bytes a round: less than any object that could be left. */
const LITTLE = 100;

const { signal } = new AbortController();
const load = shared((key: number) => sleep(1, key));

/** What may be done again and again beside what goes on. */
const ROUNDS: Readonly<Record<string, () => PromiseLike<unknown> | unknown>> = {
  "cancelOn() on a signal that is never aborted": () =>
    cancelOn(signal, () => sleep(0)),
  "cancelOn() on a signal, cancelled": () =>
    moveOnAfter(1, () => cancelOn(signal, () => sleep(10))),
  "retry() that succeeds": () => retry(() => sleep(0)),
  "retry() that fails": () =>
    retry(() => Promise.reject(new Error("no")), { attempts: 3, delay: 1 })
      .catch(() => {}),
  "retry(), cancelled between two attempts": () =>
    moveOnAfter(1, () => retry(() => Promise.reject(new Error("no")))),
  "interval(), left": async () => {
    for await (const _ of interval(1)) break;
  },
  "interval(), cancelled": () =>
    moveOnAfter(1, async () => {
      for await (const _ of interval(10));
    }),
  "shared(), each with another key": () => load(Math.random()),
  "shared(), cancelled": () => moveOnAfter(0.5, () => load(1)),
  "pooledMap() to its end": async () => {
    for await (const _ of pooledMap([1, 2, 3], (n) => n, { limit: 2 }));
  },
  "pooledMap(), left": async () => {
    const results = pooledMap([1, 2, 3], (n) => sleep(n), { limit: 2 });
    for await (const _ of results) break;
  },
  "pooledMap(), cancelled": () =>
    moveOnAfter(1, async () => {
      for await (const _ of pooledMap([1, 2, 3], () => sleep(9), { limit: 2 }));
    }),
  "pooledMap() that fails": async () => {
    const results = pooledMap([1], () => {
      throw new Error("no");
    }, { limit: 2 });
    await results.next().catch(() => {});
  },
  "currentDeadline() in a timeout": () => timeout(10, () => currentDeadline()),
};

for (const [what, round] of Object.entries(ROUNDS)) {
  Deno.test({
    name: `${what}, leaves nothing behind`,
    ignore: !hasGc,
    fn: virtual(async () => {
      const bytes = await leftBehind(round, LITTLE);
      assert(bytes <= LITTLE, `${bytes} bytes a round`);
      assertEquals(allTasks().size, 1);
    }),
  });
}

/** The same on what belongs to a loop. */
const WAITS: Readonly<Record<string, () => () => PromiseLike<unknown>>> = {
  "a large acquire()": () => {
    const permits = new Semaphore(1);
    return () => permits.acquire(5);
  },
  "CapacityLimiter.acquire()": () => {
    const limiter = new CapacityLimiter(0);
    return () => limiter.acquireOnBehalfOf({});
  },
  "RateLimiter.acquire()": () => {
    const limiter = new RateLimiter(1, 1_000_000_000);
    limiter.tryAcquire();
    return () => limiter.acquire();
  },
};

for (const [what, make] of Object.entries(WAITS)) {
  Deno.test({
    name: `${what}, cancelled, leaves nothing behind`,
    ignore: !hasGc,
    fn: virtual(async () => {
      const wait = make();
      const round = () => moveOnAfter(1, wait);
      const bytes = await leftBehind(round, LITTLE);
      assert(bytes <= LITTLE, `${bytes} bytes a round`);
    }),
  });
}
