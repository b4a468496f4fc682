import {
  createTask,
  exploreCancellations,
  exploreSchedules,
  InvalidStateError,
  runVirtual,
  ScheduleError,
  sleep,
  taskGroup,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertRejects } from "@std/assert";

/** A test that forgets its heart. */
function forgetful(ended: () => void): () => Promise<string> {
  return async () => {
    createTask(async () => {
      try {
        for (;;) await sleep(100);
      } finally {
        ended();
      }
    }, { name: "heart" });
    await sleep(250);
    return "done";
  };
}

Deno.test("what a test has left is cancelled and awaited, unless it is refused", async () => {
  let ended = 0;
  const test = forgetful(() => ended++);
  assertEquals(await runVirtual(test), "done");
  assertEquals(await runVirtual(test, { leftovers: "cancel" }), "done");
  assertEquals(ended, 2);
  await assertRejects(
    () => runVirtual(test, { leftovers: "refuse" }),
    InvalidStateError,
    'Cannot end the test as some of its tasks have not ended: received\n  "heart" waiting for sleep(100)',
  );
  assertEquals(ended, 3, "it is cancelled all the same");
});

Deno.test("in debug mode, the line at which a task is left waiting is told", async () => {
  const error = await assertRejects(
    () => runVirtual(forgetful(() => {}), { leftovers: "refuse", debug: true }),
    InvalidStateError,
  );
  assert(/leftovers_test\.[jt]s:\d+/.test(error.message), error.message);
});

Deno.test("a test whose tasks have ended with it passes, and gives its result", async () => {
  const test = async () => {
    await taskGroup((group) => void group.createTask(() => sleep(1)));
    return "done";
  };
  assertEquals(await runVirtual(test, { leftovers: "refuse" }), "done");
});

Deno.test("what a test throws comes before what it has left", async () => {
  await assertRejects(
    () =>
      runVirtual(async () => {
        createTask(() => sleep(1000));
        await sleep(1);
        throw new RangeError("its own");
      }, { leftovers: "refuse" }),
    RangeError,
    "its own",
  );
});

Deno.test("an order in which a task is left is found", async () => {
  const test = async () => {
    const helper = { task: null as Promise<unknown> | null };
    await taskGroup((group) => {
      group.createTask(async () => {
        await sleep(1);
        helper.task = createTask(() => sleep(10));
      });
      group.createTask(async () => {
        await sleep(1);
        await helper.task;
      });
    });
  };
  await runVirtual(test, { leftovers: "refuse" });
  await exploreSchedules(test);
  const error = await assertRejects(
    () => exploreSchedules(test, { leftovers: "refuse" }),
    ScheduleError,
    "have not ended",
  );
  await assertRejects(
    () => exploreSchedules(test, { leftovers: "refuse", replay: error.replay }),
    ScheduleError,
  );
});

Deno.test("a cancellation that leaves a task behind is found", async () => {
  const test = async () => {
    const task = createTask(async () => {
      const helper = createTask(() => sleep(10), { name: "helper" });
      await sleep(1);
      await helper;
    }, { name: "caller" });
    await task.catch(() => {});
  };
  const tasks = ["caller"];
  await exploreCancellations(test, { tasks });
  await assertRejects(
    () => exploreCancellations(test, { tasks, leftovers: "refuse" }),
    ScheduleError,
    '"helper" waiting for sleep(10)',
  );
});

Deno.test("'leftovers' is one of two", async () => {
  for (const call of [runVirtual, exploreSchedules, exploreCancellations]) {
    // deno-lint-ignore no-await-in-loop -- one after the other
    await assertRejects(
      () =>
        call(() => {}, { leftovers: "ignore" as never }) as Promise<unknown>,
      RangeError,
      "as 'leftovers' must be one of cancel, refuse: received",
    );
  }
});
