import {
  CancelledError,
  createTask,
  currentTask,
  earlierErrors,
  ExceptionGroup,
  getRunningLoop,
  isCancelledError,
  moveOnAfter,
  newEventLoop,
  retry,
  run,
  runVirtual,
  shielded,
  sleep,
  SystemExit,
  taskGroup,
  timeout,
  TimeoutError,
  VirtualClock,
} from "@asyncio/asyncio";
import { exploreSchedules } from "@asyncio/asyncio/testing";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { outcome } from "../_support/outcome.ts";
import {
  countingSignal,
  foreignOperation,
  now,
  turns,
  virtual,
} from "../_support/virtual.ts";

/** Fails, and notes when it was called. */
function failing(
  times: number[],
  error: () => unknown = () => new Error("no"),
) {
  return () => {
    times.push(now());
    return Promise.reject(error());
  };
}

Deno.test(
  "retry() gives the first success, and tells the number of the attempt",
  virtual(async () => {
    const attempts: number[] = [];
    const value = await retry((attempt) => {
      attempts.push(attempt);
      if (attempt < 3) throw new Error("not yet");
      return "there";
    });
    assertEquals([value, attempts], ["there", [1, 2, 3]]);
  }),
);

Deno.test(
  "retry() waits longer each time, up to maxDelay, by the loop's clock",
  virtual(async () => {
    const times: number[] = [];
    await assertRejects(() =>
      retry(failing(times), {
        attempts: 5,
        delay: 100,
        factor: 3,
        maxDelay: 500,
      })
    );
    assertEquals(times, [0, 100, 400, 900, 1400]);
  }),
);

Deno.test(
  "retry() tries five times a second apart and doubled if it is not told",
  virtual(async () => {
    const times: number[] = [];
    await assertRejects(() => retry(failing(times)));
    assertEquals(times, [0, 1000, 3000, 7000, 15_000]);
  }),
);

Deno.test(
  "retry() throws the last error as it is, and the earlier ones are found by it",
  virtual(async () => {
    const errors = [1, 2, 3].map((n) => new Error(`${n}`, { cause: n }));
    const thrown = await assertRejects(() =>
      retry((attempt) => Promise.reject(errors[attempt - 1]), { attempts: 3 })
    );
    assertStrictEquals(thrown, errors[2]);
    assertStrictEquals((thrown as Error).cause, 3);
    assertEquals(earlierErrors(thrown), errors.slice(0, 2));
    assertEquals(earlierErrors(errors[0]), []);
    assertEquals(earlierErrors("text"), []);
  }),
);

Deno.test(
  "earlierErrors() of one error thrown again and again has it not",
  virtual(async () => {
    const error = new Error("the same");
    await assertRejects(() => retry(() => Promise.reject(error)));
    assertEquals(earlierErrors(error), []);
  }),
);

Deno.test(
  "retry() keeps the last hundred errors of endless attempts",
  virtual(async () => {
    const last = await assertRejects(
      () =>
        retry((attempt) => Promise.reject(new Error(`${attempt}`)), {
          attempts: 500,
          delay: 0,
        }),
      Error,
      "500",
    );
    const messages = earlierErrors(last).map((each) => (each as Error).message);
    assertEquals([messages.length, messages[0]], [100, "400"]);
  }),
);

Deno.test(
  "when() decides about each error but the last, and may take its time",
  virtual(async () => {
    const asked: unknown[] = [];
    const error = await assertRejects(() =>
      retry((attempt) => Promise.reject(new Error(`${attempt}`)), {
        attempts: 9,
        delay: 10,
        when: async (error, attempt) => {
          await sleep(1);
          asked.push([(error as Error).message, attempt]);
          return attempt < 3;
        },
      })
    );
    assertEquals(asked, [["1", 1], ["2", 2], ["3", 3]]);
    assertEquals((error as Error).message, "3");
    asked.length = 0;
    await assertRejects(() =>
      retry(() => Promise.reject(new Error("x")), {
        attempts: 1,
        when: () => asked.push("asked") > 0,
      })
    );
    assertEquals(asked, []);
  }),
);

Deno.test(
  "an error of when() is thrown",
  virtual(async () => {
    await assertRejects(
      () =>
        retry(() => Promise.reject(new Error("of fn")), {
          when: () => {
            throw new Error("of when");
          },
        }),
      Error,
      "of when",
    );
  }),
);

Deno.test(
  "retry() never retries the cancellation of its task, in an attempt or between two",
  virtual(async () => {
    for (const at of [5, 15]) {
      let attempts = 0;
      const task = createTask(() =>
        retry(async () => {
          attempts++;
          await sleep(10);
          throw new Error("no");
        }, { delay: 10, when: () => true })
      );
      await sleep(at);
      task.cancel();
      assertEquals(await outcome(task), "CancelledError");
      assertEquals(attempts, 1);
      assertEquals(now() % 100, at);
      await sleep(100 - at);
    }
  }),
);

Deno.test(
  "retry() does not retry what an attempt makes of a cancellation",
  virtual(async () => {
    let attempts = 0;
    const task = createTask(() =>
      retry(async () => {
        attempts++;
        try {
          await sleep(10);
        } catch (cause) {
          throw new Error("wrapped", { cause });
        }
      })
    );
    await sleep(5);
    task.cancel();
    const error = await assertRejects(() => task, Error, "wrapped");
    assert(isCancelledError((error as Error).cause));
    assertEquals(attempts, 1);
  }),
);

Deno.test(
  "retry() ends with the block around it, and not with one beside it",
  virtual(async () => {
    const times: number[] = [];
    await Promise.all([
      assertRejects(
        () =>
          timeout(
            35,
            () => retry(failing(times), { delay: 10, factor: 1, attempts: 99 }),
          ),
        TimeoutError,
      ),
      moveOnAfter(15, () => sleep(1000)),
    ]);
    assertEquals(times, [0, 10, 20, 30]);
    assertEquals(now(), 35);
  }),
);

Deno.test(
  "a timeout inside of an attempt is retried like any failure",
  virtual(async () => {
    let attempts = 0;
    const error = await assertRejects(
      () =>
        retry(() => timeout(10, () => (attempts++, sleep(100))), {
          delay: 1,
          attempts: 3,
        }),
      TimeoutError,
    );
    assertEquals([attempts, now()], [3, 33]);
    assertEquals(earlierErrors(error).length, 2);
  }),
);

Deno.test(
  "retry() does not retry the CancelledError of another task, nor an exit",
  virtual(async () => {
    let attempts = 0;
    const error = await assertRejects(() =>
      retry(async () => {
        attempts++;
        const other = createTask(() => sleep(100));
        other.cancel("another");
        await other;
      })
    );
    assert(error instanceof CancelledError);
    assertEquals([attempts, currentTask()!.cancelling()], [1, 0]);
  }),
);

Deno.test("retry() lets a SystemExit pass", async () => {
  let attempts = 0;
  const loop = newEventLoop({ clock: new VirtualClock() });
  await assertRejects(
    () =>
      run(() =>
        retry(() => {
          attempts++;
          throw new SystemExit(3);
        }), { loop }),
    SystemExit,
  );
  assertEquals(attempts, 1);
});

Deno.test(
  "retry() works in the clean-up of a cancelled task, and in a shielded region",
  virtual(async () => {
    const log: string[] = [];
    const flush = () =>
      retry((attempt) => {
        if (attempt === 1) throw new Error("busy");
        log.push("flushed");
      }, { delay: 5 });
    const task = createTask(async () => {
      try {
        await sleep(100);
      } finally {
        await flush();
      }
    });
    const other = createTask(() => shielded(flush));
    await turns(2);
    task.cancel();
    other.cancel();
    assertEquals(await outcome(task), "CancelledError");
    assertEquals(await outcome(other), "CancelledError");
    assertEquals(log, ["flushed", "flushed"]);
  }),
);

Deno.test(
  "retry() retries a group that failed",
  virtual(async () => {
    const value = await retry((attempt) =>
      taskGroup((group) => {
        if (attempt < 3) group.createTask(failing([]));
        return attempt;
      }), {
      when: (error) => error instanceof ExceptionGroup,
    });
    assertEquals(value, 3);
  }),
);

Deno.test("jitter leaves its part of each delay to chance, and makes none longer", async () => {
  for (const [jitter, least] of [[0.5, 0.5], [true, 0], [false, 1]] as const) {
    await runVirtual(async () => {
      const times: number[] = [];
      await assertRejects(() =>
        retry(failing(times), { attempts: 200, delay: 100, factor: 1, jitter })
      );
      const delays = times.slice(1).map((time, index) => time - times[index]!);
      const shares = delays.map((delay) => Math.round(delay * 1e6) / 1e8);
      assert(
        shares.every((share) => share >= least && share <= 1),
        `${shares}`,
      );
      if (jitter !== false) assert(new Set(shares).size > 100);
    });
  }
});

Deno.test("jitter belongs to the seed of exploreSchedules(), and comes again with it", async () => {
  const delays = async (seed: number) => {
    const times: number[] = [];
    await exploreSchedules(async () => {
      await assertRejects(() => retry(failing(times), { jitter: 1 }));
    }, { runs: 1, seed });
    return times;
  };
  assertEquals(await delays(7), await delays(7));
  assert(`${await delays(7)}` !== `${await delays(8)}`);
});

Deno.test(
  "a delay of 0 lets the others have a turn, and one too large is the longest",
  virtual(async () => {
    let turnsOfOthers = 0;
    const other = createTask(async () => {
      for (;; turnsOfOthers++) await sleep(0);
    });
    await assertRejects(() => retry(failing([]), { delay: 0, attempts: 50 }));
    assert(turnsOfOthers >= 40);
    assertEquals(now(), 0);
    other.cancel();
    await outcome(other);
    await assertRejects(() =>
      retry(failing([]), { attempts: 2000, delay: 1, factor: 10, maxDelay: 5 })
    );
    assertEquals(now(), 1 + 5 * 1998);
  }),
);

Deno.test(
  "retry() refuses what is no plan",
  virtual(async () => {
    const wrong: [object, typeof TypeError | typeof RangeError, string][] = [
      [
        { attempts: 0 },
        RangeError,
        "'attempts' must be an integer of at least 1",
      ],
      [{ attempts: "3" }, TypeError, "'attempts'"],
      [{ delay: -1 }, RangeError, "'delay' must not be negative"],
      [{ maxDelay: NaN }, RangeError, "'maxDelay'"],
      [
        { factor: 0.5 },
        RangeError,
        "'factor' must be at least 1: received 0.5",
      ],
      [{ factor: "2" }, TypeError, "'factor' must be a number"],
      [{ jitter: 2 }, RangeError, "'jitter' must be from 0 to 1: received 2"],
      [{ signal: 1 }, TypeError, "'signal' must be an AbortSignal"],
      [{ when: 1 }, TypeError, "'when' must be a function"],
      [{ retries: 1 }, TypeError, "did you mean 'attempts'?"],
    ];
    for (const [options, Class, message] of wrong) {
      let calls = 0;
      await assertRejects(
        () => retry(() => calls++, options as never),
        Class as typeof TypeError,
        message,
      );
      assertEquals(calls, 0);
    }
    await assertRejects(() => retry(1 as never), TypeError, "'fn'");
  }),
);

Deno.test(
  "retry() does not retry an operation that its task's signal has stopped",
  virtual(async () => {
    let attempts = 0;
    const task = createTask(() =>
      retry(() => {
        attempts++;
        return foreignOperation(currentTask()!.signal);
      })
    );
    await turns(2);
    task.cancel();
    assertEquals(await outcome(task), "CancelledError");
    assertEquals(attempts, 1);
    assert(getRunningLoop().isRunning());
  }),
);

Deno.test(
  "an aborted signal ends retry() with its reason, in an attempt or between two",
  virtual(async () => {
    for (const at of [5, 15]) {
      const { signal, abort, listeners } = countingSignal();
      let attempts = 0;
      const start = now();
      const end = retry(async () => {
        attempts++;
        await sleep(10);
        throw new Error("no");
      }, { delay: 10, signal });
      getRunningLoop().callLater(at, () => abort("stop"));
      assertEquals(await end.catch((reason) => reason), "stop");
      assertEquals([attempts, now() - start, listeners()], [1, at, 0]);
      const again = retry(() => attempts++, { signal });
      assertEquals(await again.catch((reason) => reason), "stop");
      assertEquals(attempts, 1);
    }
  }),
);
