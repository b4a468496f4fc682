import {
  CancelledError,
  cancelSignal,
  createTask,
  currentTask,
  getRunningLoop,
  shield,
  shielded,
  sleep,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  collectReports,
  countingSignal,
  now,
  turns,
  virtual,
} from "../_support/virtual.ts";

Deno.test(
  "S1 cancelling the awaiter of shield() leaves the work running",
  virtual(async () => {
    const work = createTask(() => sleep(10, "done"));
    const awaiter = createTask(async () => await shield(work));
    await turns(2);
    awaiter.cancel();
    await assertRejects(() => awaiter, CancelledError);
    assertEquals(work.cancelling(), 0);
    assertEquals(await work, "done");
  }),
);

Deno.test(
  "S2 cancelling the work itself cancels the shield",
  virtual(async () => {
    const work = createTask(() => sleep(10));
    const outer = shield(work);
    await sleep(0);
    work.cancel("the work itself");
    await assertRejects(() => outer, CancelledError, "the work itself");
    assert(outer.cancelled());
  }),
);

Deno.test(
  "S3 shield() of a done future is that future",
  virtual(() => {
    const future = getRunningLoop().createFuture<number>();
    future.setResult(1);
    assertStrictEquals(shield(future), future);
  }),
);

Deno.test(
  "S4 an error after the awaiter was cancelled goes to the exception handler",
  virtual(async () => {
    const reports = collectReports();
    const error = new RangeError("too far");
    const work = createTask(async () => {
      await sleep(10);
      throw error;
    });
    const outer = shield(work);
    await sleep(0);
    outer.cancel();
    await sleep(20);
    assertEquals(reports.length, 1);
    assertStrictEquals(reports[0]!.error, error);
    assertStrictEquals(reports[0]!.future, work);
    assert(reports[0]!.message.startsWith("Exception in a shielded future"));
  }),
);

Deno.test("S5 shielded work that nobody holds is not collected", async () => {
  const { gc = () => {} } = globalThis as { gc?: () => void };
  let finished = false;
  const awaiter = createTask(() =>
    shield(async () => {
      await sleep(5);
      finished = true;
    })
  );
  await sleep(0);
  awaiter.cancel();
  await awaiter.catch(() => {});
  gc();
  await sleep(10);
  assert(finished);
});

Deno.test(
  "shield() passes a result and an error on",
  virtual(async () => {
    assertEquals(await shield(() => sleep(1, "value")), "value");
    assertEquals(await shield(Promise.resolve(2)), 2);
    await assertRejects(
      () => shield(() => Promise.reject(new RangeError("far"))),
      RangeError,
      "far",
    );
  }),
);

Deno.test(
  "shield() refuses what cannot be waited for",
  virtual(() => {
    assertThrows(() => shield(1 as never), TypeError, "received 1");
  }),
);

Deno.test(
  "shielded() keeps a cancellation out and delivers it at its end",
  virtual(async () => {
    const steps: string[] = [];
    const task = createTask(async () => {
      await shielded(async () => {
        await sleep(10);
        steps.push("flushed");
      });
      steps.push("never");
    });
    await sleep(0);
    task.cancel("stop");
    await sleep(5);
    assertFalse(task.done());
    await assertRejects(() => task, CancelledError, "stop");
    assertEquals(steps, ["flushed"]);
    assertEquals(now(), 10);
  }),
);

Deno.test(
  "shielded() gives its value, and one that throws keeps the cancellation",
  virtual(async () => {
    assertEquals(await shielded(() => sleep(1, "value")), "value");
    const task = createTask(async () => {
      await shielded(async () => {
        await sleep(10);
        throw new RangeError("broken");
      }).catch(() => {});
      await sleep(0);
    });
    await sleep(0);
    task.cancel();
    await assertRejects(() => task, CancelledError);
  }),
);

Deno.test(
  "shielded() runs its region although the task was cancelled before",
  virtual(async () => {
    let flushed = false;
    const task = createTask(async () => {
      currentTask()!.cancel();
      await shielded(async () => {
        await sleep(10);
        flushed = true;
      });
    });
    await assertRejects(() => task, CancelledError);
    assert(flushed);
  }),
);

Deno.test(
  "shielded() in a finally block waits in peace, also through a second cancel",
  virtual(async () => {
    let cleaned = false;
    const task = createTask(async () => {
      try {
        await sleep(1000);
      } finally {
        await shielded(async () => {
          await sleep(10);
          cleaned = true;
        });
      }
    });
    await sleep(0);
    task.cancel();
    await sleep(5);
    task.cancel();
    await assertRejects(() => task, CancelledError);
    assert(cleaned);
    assertEquals(task.cancelling(), 2);
  }),
);

Deno.test(
  "shielded() keeps a timeout around it out, which then expires",
  virtual(async () => {
    let flushed = false;
    await assertRejects(
      () =>
        timeout(5, () =>
          shielded(async () => {
            await sleep(10);
            flushed = true;
          })),
      TimeoutError,
    );
    assert(flushed);
    assertEquals(now(), 10);
    assertEquals(currentTask()!.cancelling(), 0);
  }),
);

Deno.test(
  "shielded() with a timeout cancels its region in the end",
  virtual(async () => {
    await assertRejects(
      () => shielded(() => sleep(1000), { timeout: 10 }),
      TimeoutError,
    );
    assertEquals(now(), 10);
  }),
);

Deno.test(
  "shielded() with a timeout, cancelled as well: the error comes first, the cancellation next",
  virtual(async () => {
    const seen: string[] = [];
    const task = createTask(async () => {
      await shielded(() => sleep(1000), { timeout: 10 })
        .catch((error) => seen.push(error.name));
      await sleep(0).catch((error) => seen.push(error.name));
    });
    await sleep(0);
    task.cancel();
    await task;
    assertEquals(seen, ["TimeoutError", "CancelledError"]);
  }),
);

Deno.test(
  "shielded() keeps the abort of the task's signal out",
  virtual(async () => {
    let aborted: boolean | undefined;
    const task = createTask(() =>
      shielded(async () => {
        const signal = cancelSignal();
        await sleep(10);
        aborted = signal.aborted;
      })
    );
    await sleep(1);
    task.cancel();
    await assertRejects(() => task, CancelledError);
    assertEquals(aborted, false);
  }),
);

Deno.test(
  "shielded() refuses a bad timeout and what is not a function",
  virtual(async () => {
    await assertRejects(
      () => shielded(() => 1, { timeout: NaN }),
      RangeError,
      "'timeout' must not be NaN",
    );
    await assertRejects(
      () => shielded(Promise.resolve() as never),
      TypeError,
      "'fn' must be a function: received a Promise",
    );
  }),
);

Deno.test(
  "an aborted signal ends a shielded() region with its reason, and a cancellation is thrown at the next wait",
  virtual(async () => {
    const { signal, abort, listeners } = countingSignal();
    const reason = new Error("gone");
    const log: unknown[] = [];
    const task = createTask(async () => {
      try {
        await shielded(async () => {
          try {
            await sleep(60_000);
          } finally {
            await sleep(5);
            log.push(now());
          }
        }, { signal });
      } catch (error) {
        log.push(error);
      }
      await sleep(60_000);
    });
    await sleep(1);
    task.cancel();
    await sleep(9);
    abort(reason);
    await assertRejects(() => task, CancelledError);
    assertEquals(log.length, 2);
    assertEquals(log[0], 15);
    assertStrictEquals(log[1], reason);
    assertEquals(listeners(), 0);
  }),
);

Deno.test(
  "shielded() does not call a region whose signal is aborted",
  virtual(async () => {
    const reason = new Error("gone");
    const signal = AbortSignal.abort(reason);
    let calls = 0;
    const error = await assertRejects(() =>
      shielded(() => calls++, { signal })
    );
    assertStrictEquals(error, reason);
    assertEquals(calls, 0);
  }),
);
