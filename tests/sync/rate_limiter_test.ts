import {
  createTask,
  gather,
  InvalidStateError,
  run,
  runVirtual,
  sleep,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";
import { RateLimiter } from "@asyncio/asyncio/sync";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { makeRandom } from "../../_internal/random.ts";
import { hops, MANY_HOPS, outcomes, shown } from "../_support/outcome.ts";
import { now, turns, virtual } from "../_support/virtual.ts";

/** Tasks that want so many each, and say when they had them. */
function users(limiter: RateLimiter, wants: readonly number[], log: string[]) {
  return wants.map((n, index) =>
    createTask(async () => {
      await limiter.acquire(n);
      log.push(`${index} at ${now()}`);
    })
  );
}

Deno.test(
  "acquire() lets no more begin in a window than there may",
  virtual(async () => {
    const limiter = new RateLimiter(3, 100);
    const times: number[] = [];
    await gather(Array.from({ length: 7 }, () => async () => {
      await limiter.acquire();
      times.push(now());
    }));
    assertEquals(times, [0, 0, 0, 100, 100, 100, 200]);
  }),
);

Deno.test(
  "the window slides: there is no span in which it are more",
  virtual(async () => {
    const limiter = new RateLimiter(2, 100);
    const times: number[] = [];
    for (const pause of [0, 90, 5, 0, 0, 0]) {
      await sleep(pause);
      await limiter.acquire();
      times.push(now());
    }
    assertEquals(times, [0, 90, 100, 190, 200, 290]);
    for (let i = 2; i < times.length; i++) {
      assert(times[i]! - times[i - 2]! >= 100, `${times}`);
    }
  }),
);

Deno.test(
  "a rate that was not used is not saved up beyond the window",
  virtual(async () => {
    const limiter = new RateLimiter(2, 100);
    await sleep(10_000);
    const log: string[] = [];
    await outcomes(users(limiter, [1, 1, 1], log));
    assertEquals(log, ["0 at 10000", "1 at 10000", "2 at 10100"]);
  }),
);

Deno.test(
  "acquire(n) counts n, is not starved by small ones, and is not overtaken",
  virtual(async () => {
    const limiter = new RateLimiter(4, 100);
    const log: string[] = [];
    const tasks = users(limiter, [3, 4, 1, 1], log);
    await turns(2);
    assertEquals(limiter.statistics().available, 1);
    assertEquals(limiter.tryAcquire(), false);
    await outcomes(tasks);
    assertEquals(log, ["0 at 0", "1 at 100", "2 at 200", "3 at 200"]);
  }),
);

Deno.test(
  "a large one that is cancelled lets those behind it go",
  virtual(async () => {
    const limiter = new RateLimiter(4, 100);
    const log: string[] = [];
    const tasks = users(limiter, [3, 4, 1, 1], log);
    await sleep(10);
    tasks[1]!.cancel();
    await outcomes(tasks);
    assertEquals(log, ["0 at 0", "2 at 10", "3 at 100"]);
  }),
);

Deno.test(
  "one cancelled at any point of its way does not count",
  virtual(async () => {
    for (let before = 0; before < MANY_HOPS; before++) {
      const limiter = new RateLimiter(2, 100);
      const start = now();
      const log: string[] = [];
      await limiter.acquire(2);
      const tasks = users(limiter, [1, 1, 1, 1], log);
      await sleep(99);
      await createTask(async () => {
        await sleep(1);
        await hops(before);
        tasks[1]!.cancel();
        await hops(1);
        tasks[0]!.cancel();
      });
      await outcomes(tasks);
      const begun = log.length;
      assert(begun >= 2 && now() - start <= 200);
      assertEquals(
        limiter.statistics(),
        {
          count: 2,
          perMs: 100,
          available: now() - start < 200 ? 0 : 4 - begun,
          waiters: 0,
        },
      );
      await sleep(200);
    }
  }),
);

Deno.test(
  "a timeout around acquire() takes nothing, and no timer is left",
  async () => {
    const end = await runVirtual(async () => {
      const limiter = new RateLimiter(1, 1_000_000);
      await limiter.acquire();
      await assertRejects(
        () => timeout(5, () => limiter.acquire()),
        TimeoutError,
      );
      assertEquals(limiter.statistics().waiters, 0);
      return now();
    });
    assertEquals(end, 5);
  },
);

Deno.test(
  "tryAcquire() says whether more may begin now",
  virtual(async () => {
    const limiter = new RateLimiter(3, 10);
    assertEquals([limiter.tryAcquire(2), limiter.tryAcquire(2)], [true, false]);
    assert(limiter.tryAcquire());
    await sleep(9);
    assertEquals(limiter.tryAcquire(), false);
    await sleep(1);
    assert(limiter.tryAcquire(3));
  }),
);

Deno.test(
  "with() runs the function in its time, and gives its result",
  virtual(async () => {
    const limiter = new RateLimiter(1, 10);
    assertEquals(await limiter.with(() => now()), 0);
    assertEquals(await limiter.with(() => now()), 10);
    await assertRejects(
      () => limiter.with(() => Promise.reject(new Error("no"))),
      Error,
      "no",
    );
    await assertRejects(() => limiter.with(1 as never), TypeError);
  }),
);

Deno.test("whatever is wanted when, no window has more than its count", async () => {
  for (let seed = 0; seed < 50; seed++) {
    const random = makeRandom(seed);
    const count = 1 + random(5);
    await runVirtual(async () => {
      const limiter = new RateLimiter(count, 50);
      const begun: { at: number; n: number }[] = [];
      await gather(Array.from({ length: 40 }, () => async () => {
        const n = 1 + random(count);
        await sleep(random(400));
        try {
          await timeout(random(300), () => limiter.acquire(n));
        } catch (error) {
          assert(error instanceof TimeoutError);
          return;
        }
        begun.push({ at: now(), n });
      }));
      for (const { at } of begun) {
        const inWindow = begun.filter((each) =>
          each.at >= at && each.at < at + 50
        );
        const sum = inWindow.reduce((sum, { n }) => sum + n, 0);
        assert(sum <= count, `seed ${seed}: ${sum} from ${at} on`);
      }
      await sleep(50);
      assertEquals(limiter.statistics(), {
        count,
        perMs: 50,
        available: count,
        waiters: 0,
      });
    });
  }
});

Deno.test("a limiter of the rate refuses what is none", async () => {
  for (const count of [0, -1, 1.5, NaN, Infinity]) {
    assertThrows(() => new RateLimiter(count, 1), RangeError, "'count'");
  }
  for (const perMs of [0, -1, NaN, Infinity]) {
    assertThrows(() => new RateLimiter(1, perMs), RangeError, "'perMs'");
  }
  assertThrows(() => new RateLimiter(1, "1" as never), TypeError, "'perMs'");
  const limiter = new RateLimiter(2, 1);
  const message =
    "Cannot keep to a rate as 'n' must be at most 2, which is all that may begin in a window: received 3";
  await assertRejects(() => limiter.acquire(3), RangeError, message);
  assertThrows(() => limiter.tryAcquire(3), RangeError, message);
  assertThrows(() => limiter.tryAcquire(0), RangeError, "at least 1");
});

Deno.test("a limiter goes by the time of one loop, and refuses another", async () => {
  const limiter = new RateLimiter(1, 10);
  await run(() => limiter.acquire());
  await run(async () => {
    await assertRejects(() => limiter.acquire(), InvalidStateError);
    assertThrows(() => limiter.tryAcquire(), InvalidStateError);
  });
});

Deno.test(
  "a rate limiter shows its rate",
  virtual(async () => {
    const limiter = new RateLimiter(1, 10);
    assertEquals(shown(limiter), "<RateLimiter 1 per 10 ms>");
    assert(Object.isFrozen(limiter.statistics()));
    await limiter.acquire();
    const task = createTask(() => limiter.acquire());
    await turns(1);
    assertEquals(`${limiter}`, "<RateLimiter 1 per 10 ms waiters=1>");
    assert(`${task}`.includes("waiting for RateLimiter.acquire"));
    await task;
  }),
);

Deno.test(
  "ten thousand wait for a rate, and each costs the same",
  virtual(async () => {
    const limiter = new RateLimiter(100, 10);
    const tasks = Array.from(
      { length: 10_000 },
      () => createTask(() => limiter.acquire()),
    );
    await outcomes(tasks);
    assertEquals(now(), 990);
  }),
);
