import {
  createTask,
  getRunningLoop,
  interval,
  type IntervalOptions,
  moveOnAfter,
  run,
  runVirtual,
  sleep,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { outcome } from "../_support/outcome.ts";
import { countingSignal, now, virtual } from "../_support/virtual.ts";

/** When the ticks come whose bodies take so long; one tick more than bodies. */
async function ticks(
  ms: number,
  bodies: readonly number[],
  options?: IntervalOptions,
): Promise<string[]> {
  const start = now();
  const log: string[] = [];
  for await (const tick of interval(ms, options)) {
    log.push(`${tick} at ${now() - start}`);
    const body = bodies[log.length - 1];
    if (body === undefined) break;
    await sleep(body);
  }
  return log;
}

Deno.test(
  "interval() ticks at multiples of its time, whatever the body takes",
  virtual(async () => {
    await sleep(7);
    assertEquals(await ticks(100, [0, 30, 99, 50]), [
      "1 at 100",
      "2 at 200",
      "3 at 300",
      "4 at 400",
      "5 at 500",
    ]);
  }),
);

Deno.test(
  "a missed tick comes at once, and the next at a multiple: skip, the default",
  virtual(async () => {
    const log = ["1 at 100", "2 at 350", "4 at 400", "5 at 500"];
    assertEquals(await ticks(100, [250, 10, 10]), log);
    assertEquals(await ticks(100, [250, 10, 10], { missed: "skip" }), log);
  }),
);

Deno.test(
  "missed ticks all come at once: burst",
  virtual(async () => {
    assertEquals(await ticks(100, [250, 10, 10, 10, 10], { missed: "burst" }), [
      "1 at 100",
      "2 at 350",
      "3 at 360",
      "4 at 400",
      "5 at 500",
      "6 at 600",
    ]);
  }),
);

Deno.test(
  "after a late tick the time counts anew: delay",
  virtual(async () => {
    assertEquals(await ticks(100, [250, 10, 10, 120, 0], { missed: "delay" }), [
      "1 at 100",
      "2 at 350",
      "3 at 450",
      "4 at 550",
      "5 at 670",
      "6 at 770",
    ]);
  }),
);

Deno.test(
  "a body that takes just as long as the time misses nothing",
  virtual(async () => {
    for (const missed of ["skip", "burst", "delay"] as const) {
      assertEquals(await ticks(100, [100, 100], { missed }), [
        "1 at 100",
        "2 at 200",
        "3 at 300",
      ]);
    }
  }),
);

Deno.test(
  "no error adds up in a million ticks",
  virtual(async () => {
    const start = now();
    const ticks = interval(0.1)[Symbol.asyncIterator]();
    for (let n = 0; n < 20_000; n++) await ticks.next();
    assert(Math.abs(now() - start - 2000) < 1e-6, `${now() - start}`);
  }),
);

Deno.test(
  "each iteration begins anew, and one that was left is over",
  virtual(async () => {
    const twice = interval(10);
    for await (const _ of twice) break;
    assertEquals(now(), 10);
    const iterator = twice[Symbol.asyncIterator]();
    assertEquals((await iterator.next()).value, 1);
    assertEquals(now(), 20);
    await iterator.return?.();
    assertEquals(await iterator.next(), { done: true, value: undefined });
  }),
);

Deno.test(
  "a cancelled wait takes no tick",
  virtual(async () => {
    const iterator = interval(100)[Symbol.asyncIterator]();
    for (let n = 0; n < 3; n++) {
      await assertRejects(
        () => timeout(20, () => iterator.next()),
        TimeoutError,
      );
    }
    assertEquals([(await iterator.next()).value, now()], [1, 100]);
  }),
);

Deno.test(
  "calls of one iterator at a time have a tick each",
  virtual(async () => {
    const iterator = interval(100)[Symbol.asyncIterator]();
    const log: string[] = [];
    await Promise.all([1, 2, 3].map(async () => {
      const { value } = await iterator.next();
      log.push(`${value} at ${now()}`);
    }));
    assertEquals(log, ["1 at 100", "2 at 200", "3 at 300"]);
  }),
);

Deno.test("a late tick lets others have a turn, and the task be cancelled", async () => {
  await runVirtual(async () => {
    let ran = 0;
    const other = createTask(async () => {
      for (; ran < 5; ran++) await sleep(0);
    });
    const burst = moveOnAfter(1000, async () => {
      for await (const tick of interval(1, { missed: "burst" })) {
        if (tick === 1) await sleep(100);
      }
    });
    await burst;
    assertEquals([await outcome(other), ran], [undefined, 5]);
  });
});

Deno.test("no timer is left when an interval is left", async () => {
  assertEquals(
    await runVirtual(async () => {
      for await (const _ of interval(5)) break;
      const task = createTask(async () => {
        for await (const _ of interval(1_000_000));
      });
      await sleep(5);
      task.cancel();
      await outcome(task);
      return now();
    }),
    10,
  );
});

Deno.test("interval() refuses what is no time, and no way", async () => {
  for (const ms of [0, -1, NaN, Infinity]) {
    assertThrows(() => interval(ms), RangeError, "'ms'");
  }
  assertThrows(() => interval("1" as never), TypeError, "'ms'");
  assertThrows(
    () => interval(1, { missed: "drop" as never }),
    RangeError,
    "Cannot make an interval as 'missed' must be one of skip, burst, delay",
  );
  await run(async () => {
    for await (const tick of interval(0.01)) if (tick > 3) break;
  });
});

Deno.test(
  "an aborted signal ends an interval() with its reason",
  virtual(async () => {
    const { signal, abort, listeners } = countingSignal();
    getRunningLoop().callLater(25, () => abort("stop"));
    const log: number[] = [];
    const end = (async () => {
      for await (const tick of interval(10, { signal })) log.push(tick);
    })();
    assertEquals(await end.catch((reason) => reason), "stop");
    assertEquals([log, now(), listeners()], [[1, 2], 25, 0]);
    assertThrows(() => interval(1, { signal: 1 as never }), TypeError);
  }),
);
