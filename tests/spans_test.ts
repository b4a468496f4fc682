import {
  asCompleted,
  createSubprocessExec,
  createTask,
  type Future,
  getRunningLoop,
  run,
  shielded,
  sleep,
  timeout,
  timeoutAt,
  TimeoutError,
  toThread,
  wait,
  waitFor,
  WorkerPoolExecutor,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { now, virtual } from "./_support/virtual.ts";

/** What is left until a deadline that has passed. */
const LATE = -0.5;

async function textOf(fn: () => PromiseLike<unknown>): Promise<string> {
  const error = await assertRejects(async () => await fn(), TimeoutError);
  return error.message;
}

Deno.test(
  "a span below 0 is 0, wherever something waits for a while",
  virtual(async () => {
    const loop = getRunningLoop();
    const order: string[] = [];
    loop.callLater(0, () => order.push("at once"));
    loop.callLater(LATE, () => order.push("late"));
    loop.callLater(-Infinity, () => order.push("very late"));
    await sleep(LATE);
    await sleep(1);
    assertEquals(order, ["at once", "late", "very late"]);

    const task = createTask(() => sleep(10, "done"));
    const { pending } = await wait([task], { timeout: LATE });
    assert(pending.has(task));
    const places = asCompleted([task], { timeout: LATE });
    await assertRejects(async () => {
      for await (const _ of places);
    }, TimeoutError);
    await assertRejects(
      () => shielded(() => sleep(10), { timeout: LATE }),
      TimeoutError,
    );
    assertEquals(now(), 1);
    assertEquals(await task, "done");
  }),
);

Deno.test("a grace below 0 is 0", async () => {
  await run(async () => {
    const child = await createSubprocessExec("sleep", ["60"], {
      graceMs: LATE,
    });
    const code = await child.stop({ graceMs: LATE });
    assert(code === -9 || code === -15);

    const executor = new WorkerPoolExecutor({ maxWorkers: 1, graceMs: LATE });
    const job: Future<unknown> = executor.submit(() => {
      while (true);
    });
    await sleep(20);
    job.cancel();
    await job.catch(() => {});
    await executor.shutdown();
  });
});

Deno.test("shutdownDefaultExecutor() takes a span below 0 and none at all", async () => {
  await run(async () => {
    const loop = getRunningLoop();
    await assertRejects(
      () => loop.shutdownDefaultExecutor(NaN),
      RangeError,
      "'ms' must not be NaN",
    );
    const job = toThread(() => {
      while (true);
    });
    job.catch(() => {});
    await loop.shutdownDefaultExecutor(LATE);
    assert(job.cancelled());
    loop.setDefaultExecutor(null);
    const short = toThread(() => "done");
    await loop.shutdownDefaultExecutor(Infinity);
    assertEquals(await short, "done");
  });
});

Deno.test(
  "TimeoutError says how long the time was",
  virtual(async () => {
    const idle = () => sleep(60_000);
    assertEquals(
      await textOf(() => timeout(5, idle)),
      "The time is over after 5 ms",
    );
    assertEquals(
      await textOf(() => timeout(0.25, idle)),
      "The time is over after 0.25 ms",
    );
    assertEquals(
      await textOf(() => timeoutAt(now() + 1.00049, idle)),
      "The time is over after 1 ms",
    );
    for (const ms of [0, -5, -Infinity]) {
      assertEquals(
        await textOf(() => timeout(ms, idle)),
        "The time is over after 0 ms",
      );
    }
    assertEquals(
      await textOf(() => timeoutAt(-1000, idle)),
      "The time is over after 0 ms",
    );
    assertEquals(
      await textOf(() => waitFor(idle, 7)),
      "The time is over after 7 ms",
    );
    assertEquals(
      await textOf(() => waitFor(createTask(idle), 0)),
      "The time is over after 0 ms",
    );
    assertEquals(
      await textOf(() => waitFor(idle, 0)),
      "The time is over after 0 ms, before the start",
    );
    assertEquals(
      await textOf(() => shielded(idle, { timeout: 9 })),
      "The time is over after 9 ms",
    );
  }),
);

Deno.test(
  "TimeoutError counts what reschedule() has added",
  virtual(async () => {
    const moved = textOf(() =>
      timeout(5, async (deadline) => {
        await sleep(3);
        deadline.reschedule(now() + 10);
        await sleep(60_000);
      })
    );
    assertEquals(await moved, "The time is over after 13 ms");
    const set = textOf(() =>
      timeout(null, async (deadline) => {
        await sleep(3);
        deadline.reschedule(now() + 10);
        await sleep(60_000);
      })
    );
    assertEquals(await set, "The time is over after 10 ms");
  }),
);

Deno.test(
  "an error of the clean-up names the timeout and its time as the cause",
  virtual(async () => {
    const error = await assertRejects(
      () =>
        timeout(5, () =>
          sleep(60_000).finally(() => {
            throw new RangeError("cannot clean up");
          })),
      RangeError,
    );
    assert(error.cause instanceof TimeoutError);
    assertEquals(error.cause.message, "The time is over after 5 ms");
  }),
);
