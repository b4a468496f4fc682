import {
  CancelledError,
  createTask,
  currentTask,
  getRunningLoop,
  shield,
  sleep,
  TimeoutError,
  waitFor,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { slowToEnd } from "../_support/slow_clean_up.ts";
import { deferred, now, turns, virtual } from "../_support/virtual.ts";

Deno.test(
  "W1 with no time left a done future gives its result",
  virtual(async () => {
    const future = getRunningLoop().createFuture<number>();
    future.setResult(1);
    assertEquals(await waitFor(future, 0), 1);
    assertEquals(await waitFor(future, -5), 1);
  }),
);

Deno.test(
  "W1 with no time left a function is never started",
  virtual(async () => {
    let started = false;
    const work = () => {
      started = true;
    };
    await assertRejects(() => waitFor(work, 0), TimeoutError);
    await assertRejects(() => waitFor(work, -1), TimeoutError);
    await turns(2);
    assertFalse(started);
  }),
);

Deno.test(
  "W1 with no time left a new task is cancelled before it starts",
  virtual(async () => {
    let started = false;
    const task = createTask(() => {
      started = true;
    });
    const error = await assertRejects(() => waitFor(task, 0), TimeoutError);
    assert(error.cause instanceof CancelledError);
    assert(task.cancelled());
    assertFalse(started);
  }),
);

Deno.test(
  "W2 on timeout it waits for the work's clean-up, then throws TimeoutError",
  virtual(async () => {
    let cleanedAt = 0;
    const task = createTask(slowToEnd(10, () => {
      cleanedAt = now();
    }));
    const error = await assertRejects(() => waitFor(task, 5), TimeoutError);
    assertEquals(cleanedAt, 15);
    assert(error.cause instanceof CancelledError);
    assert(task.cancelled());
  }),
);

Deno.test(
  "W2 with no time left it waits for the clean-up of a running task as well",
  virtual(async () => {
    const task = createTask(slowToEnd(10));
    await sleep(0);
    await assertRejects(() => waitFor(task, 0), TimeoutError);
    assertEquals(now(), 10);
  }),
);

Deno.test(
  "W3 work that declines the cancellation gives its value, no TimeoutError",
  virtual(async () => {
    const work = async () => {
      await sleep(1000).catch(() => {});
      return "declined";
    };
    assertEquals(await waitFor(createTask(work), 5), "declined");
    assertEquals(await waitFor(work, 5), "declined");
    const task = createTask(work);
    await sleep(0);
    assertEquals(await waitFor(task, 0), "declined");
  }),
);

Deno.test(
  "W4 another error thrown by work being cancelled comes out",
  virtual(async () => {
    const work = async () => {
      await sleep(1000).catch(() => {
        throw new RangeError("broken clean-up");
      });
    };
    for (const each of [work, createTask(work)]) {
      await assertRejects(() => waitFor(each, 5), RangeError, "broken");
    }
    const task = createTask(work);
    await sleep(0);
    await assertRejects(() => waitFor(task, 0), RangeError, "broken");
  }),
);

Deno.test(
  "W5 result ready and caller cancelled in one step: CancelledError wins",
  virtual(async () => {
    const future = getRunningLoop().createFuture<string>();
    const caller = createTask(() => waitFor(future, 1000));
    await turns(2);
    future.setResult("kept");
    caller.cancel();
    await assertRejects(() => caller, CancelledError);
    assertEquals(future.result(), "kept");
  }),
);

Deno.test(
  "W6 a cancelled caller cancels the work and waits for it",
  virtual(async () => {
    const work = createTask(slowToEnd(10));
    const caller = createTask(() => waitFor(work, 500));
    await sleep(5);
    caller.cancel("not needed");
    await assertRejects(() => caller, CancelledError, "not needed");
    assert(work.cancelled());
    assertEquals(now(), 15);
  }),
);

Deno.test(
  "W7 waitFor(shield(task)) leaves the task running",
  virtual(async () => {
    const task = createTask(() => sleep(20, "done"));
    await assertRejects(() => waitFor(shield(task), 5), TimeoutError);
    assertEquals(task.cancelling(), 0);
    assertEquals(await task, "done");
  }),
);

Deno.test(
  "W8 a function runs in the caller's task",
  virtual(async () => {
    assertStrictEquals(
      await waitFor(() => Promise.resolve(currentTask()?.name), 5),
      currentTask()!.name,
    );
  }),
);

Deno.test(
  "W9 without a limit it only waits",
  virtual(async () => {
    assertEquals(await waitFor(() => sleep(1_000_000, "late"), null), "late");
    const task = createTask(() => sleep(1_000_000, "later"));
    assertEquals(await waitFor(task, null), "later");
    assertEquals(await waitFor(() => sleep(5, "in time"), Infinity), "in time");
  }),
);

Deno.test(
  "waitFor() leaves a promise to itself, and only stops waiting for it",
  virtual(async () => {
    const { promise, resolve } = deferred<string>();
    await assertRejects(() => waitFor(promise, 5), TimeoutError);
    await assertRejects(() => waitFor(promise, 0), TimeoutError);
    resolve("still here");
    assertEquals(await waitFor(promise, 5), "still here");
  }),
);

Deno.test(
  "waitFor() passes a result, an error and a cancellation on",
  virtual(async () => {
    assertEquals(await waitFor(() => 1, 5), 1);
    await assertRejects(
      () => waitFor(() => Promise.reject(new RangeError("far")), 5),
      RangeError,
    );
    const task = createTask(() => sleep(1000));
    getRunningLoop().callLater(1, () => task.cancel("by someone else"));
    await assertRejects(
      () => waitFor(task, 5),
      CancelledError,
      "by someone else",
    );
  }),
);

Deno.test(
  "waitFor() refuses NaN, what is not a number and what cannot be waited for",
  virtual(async () => {
    let ran = false;
    const work = () => {
      ran = true;
    };
    await assertRejects(
      () => waitFor(work, NaN),
      RangeError,
      "Cannot wait for it as 'ms' must not be NaN: received NaN",
    );
    await assertRejects(
      () => waitFor(work, "5" as never),
      TypeError,
      `'ms' must be a number of milliseconds: received "5"`,
    );
    for (const ms of [5, 0, null]) {
      await assertRejects(
        () => waitFor(42 as never, ms),
        TypeError,
        "must be a promise, a future or a function: received 42",
      );
    }
    assertFalse(ran);
  }),
);
