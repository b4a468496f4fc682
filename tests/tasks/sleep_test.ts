import {
  CancelledError,
  checkpoint,
  createTask,
  getEventLoop,
  getRunningLoop,
  sleep,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { now, virtual } from "../_support/virtual.ts";

/** Counts the iterations of the running loop, until it is told to stop. */
function countIterations(): { count: number; stop(): void } {
  const loop = getRunningLoop();
  const counter = {
    count: 0,
    stop: () => handle.cancel(),
  };
  const tick = () => {
    counter.count++;
    handle = loop.callSoon(tick);
  };
  let handle = loop.callSoon(tick);
  return counter;
}

Deno.test(
  "B7 sleep(0) and negative delays take exactly one iteration",
  virtual(async () => {
    const iterations = countIterations();
    await sleep(0);
    for (const ms of [0, -1, -1000, -Infinity]) {
      const before = iterations.count;
      await sleep(ms);
      assertEquals(iterations.count - before, 1);
    }
    const before = iterations.count;
    await checkpoint();
    assertEquals(iterations.count - before, 1);
    iterations.stop();
    assertEquals(now(), 0);
  }),
);

Deno.test("B7 NaN is refused", async () => {
  await assertRejects(
    () => sleep(NaN),
    RangeError,
    "Cannot sleep as 'ms' must not be NaN: received NaN",
  );
});

Deno.test("sleep() refuses what is not a number, and leaves nothing", async () => {
  for (const [value, shown] of [["5", `"5"`], [undefined, "undefined"]]) {
    await assertRejects(
      () => sleep(value as never),
      TypeError,
      `Cannot sleep as 'ms' must be a number of milliseconds: received ${shown}`,
    );
  }
});

Deno.test(
  "sleep() takes its time and gives its value",
  virtual(async () => {
    assertEquals(await sleep(10), undefined);
    assertEquals(await sleep(5, "value"), "value");
    assertEquals(await sleep(0, "at once"), "at once");
    assertEquals(now(), 15);
  }),
);

Deno.test(
  "sleepers wake in the order of their times, those of one instant in that of their calls",
  virtual(async () => {
    const order: string[] = [];
    const spans = [30, 10, 20, 10, 0, 20];
    await Promise.all(
      spans.map((ms, i) => sleep(ms).then(() => order.push(`${ms}:${i}`))),
    );
    assertEquals(order, ["0:4", "10:1", "10:3", "20:2", "20:5", "30:0"]);
  }),
);

Deno.test(
  "sleep(Infinity) lasts until it is cancelled",
  virtual(async () => {
    const task = createTask(() => sleep(Infinity));
    await sleep(1_000_000);
    assert(!task.done());
    task.cancel();
    await assertRejects(() => task, CancelledError);
  }),
);

Deno.test(
  "tasks take turns at sleep(0)",
  virtual(async () => {
    const order: string[] = [];
    const work = (name: string) => async () => {
      for (let i = 0; i < 3; i++) {
        order.push(name + i);
        await sleep(0);
      }
    };
    const tasks = [createTask(work("a")), createTask(work("b"))];
    for (const task of tasks) await task;
    assertEquals(order, ["a0", "b0", "a1", "b1", "a2", "b2"]);
  }),
);

Deno.test("J16 sleep(0) without end lets the timers of the host through", async () => {
  let fired = false;
  const timer = setTimeout(() => {
    fired = true;
  }, 1);
  for (let round = 0; !fired && round < 10_000_000; round++) await sleep(0);
  clearTimeout(timer);
  assert(fired);
});

Deno.test("sleep() works at top level, on the default loop", async () => {
  const loop = getEventLoop();
  const before = loop.time();
  await sleep(1);
  assert(loop.time() >= before + 1);
  assert(loop.isRunning());
});
