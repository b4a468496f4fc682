import {
  CancelledError,
  cancelSignal,
  createTask,
  currentTask,
  ExceptionGroup,
  getRunningLoop,
  InvalidStateError,
  moveOnAfter,
  Queue,
  sleep,
  type Task,
  taskGroup,
  type Timeout,
  timeout,
  timeoutAt,
  TimeoutError,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertFalse,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { outcome } from "../_support/outcome.ts";
import { slowToEnd } from "../_support/slow_clean_up.ts";
import {
  deferred,
  foreignOperation,
  now,
  turns,
  virtual,
} from "../_support/virtual.ts";

Deno.test(
  "T1 inside CancelledError with cancelling() 1, outside TimeoutError caused by it and 0",
  virtual(async () => {
    const task = currentTask()!;
    let inside: unknown;
    const error = await assertRejects(() =>
      timeout(10, async () => {
        try {
          await sleep(1000);
        } catch (caught) {
          inside = caught;
          assertEquals(task.cancelling(), 1);
          throw caught;
        }
      }), TimeoutError);
    assertInstanceOf(inside, CancelledError);
    assertStrictEquals(error.cause, inside);
    assertEquals(task.cancelling(), 0);
    assertEquals(now(), 10);
    await sleep(1);
  }),
);

Deno.test(
  "T2 the inner one expiring alone leaves the outer unexpired",
  virtual(async () => {
    await timeout(100, async (outer) => {
      await assertRejects(() => timeout(10, () => sleep(1000)), TimeoutError);
      assertFalse(outer.expired());
      await sleep(10);
    });
    assertEquals(now(), 20);
  }),
);

Deno.test(
  "T2 the outer one expiring alone leaves the inner unexpired",
  virtual(async () => {
    let inner: Timeout | undefined;
    await assertRejects(
      () =>
        timeout(10, () =>
          timeout(100, async (deadline) => {
            inner = deadline;
            await sleep(1000);
          })),
      TimeoutError,
    );
    assertFalse(inner!.expired());
    assertEquals(now(), 10);
  }),
);

Deno.test.each([[0, 0], [10, 10], [-1, 0], [0, -1]])(
  "T3 both due at once, %i and %i: the outer's TimeoutError, both expired, count 0",
  virtualWith(async (outerMs: number, innerMs: number) => {
    const deadlines: Timeout[] = [];
    let innerError: unknown;
    const outerError = await assertRejects(
      () =>
        timeout(outerMs, async (outer) => {
          deadlines.push(outer);
          try {
            await timeout(innerMs, async (inner) => {
              deadlines.push(inner);
              await sleep(1000);
            });
          } catch (error) {
            innerError = error;
            throw error;
          }
        }),
      TimeoutError,
    );
    assertInstanceOf(innerError, CancelledError);
    assertStrictEquals(outerError.cause, innerError);
    assertEquals(deadlines.map((each) => each.expired()), [true, true]);
    assertEquals(currentTask()!.cancelling(), 0);
  }),
);

Deno.test(
  "T4 a cancellation without expiry passes through, count 1, not expired",
  virtual(async () => {
    let deadline: Timeout | undefined;
    const task = createTask(() =>
      timeout(100, async (each) => {
        deadline = each;
        await sleep(1000);
      })
    );
    await sleep(5);
    task.cancel("someone else");
    await assertRejects(() => task, CancelledError, "someone else");
    assertEquals(task.cancelling(), 1);
    assertFalse(deadline!.expired());
  }),
);

Deno.test(
  "T4 the count at entry may be above 0 already",
  virtual(async () => {
    const task = createTask(async () => {
      await sleep(1000).catch(() => {});
      assertEquals(currentTask()!.cancelling(), 1);
      await assertRejects(() => timeout(10, () => sleep(100)), TimeoutError);
      return currentTask()!.cancelling();
    });
    await sleep(0);
    task.cancel();
    assertEquals(await task, 1);
  }),
);

Deno.test(
  "T5 cancelled and expired at one instant: CancelledError, count 1, expired",
  virtual(async () => {
    let deadline: Timeout | undefined;
    const task = createTask(() =>
      timeout(10, async (each) => {
        deadline = each;
        await sleep(1000);
      })
    );
    await sleep(0);
    getRunningLoop().callAt(10, () => task.cancel());
    await assertRejects(() => task, CancelledError);
    assertEquals(task.cancelling(), 1);
    assert(deadline!.expired());
  }),
);

Deno.test(
  "T5 cancelled, and expired while it cleans up: CancelledError",
  virtual(async () => {
    const task = createTask(() => timeout(10, slowToEnd(20)));
    await sleep(5);
    task.cancel();
    await assertRejects(() => task, CancelledError);
    assertEquals(now(), 10);
    assertEquals(task.cancelling(), 1);
  }),
);

Deno.test(
  "T5 expired, and cancelled while it cleans up: CancelledError",
  virtual(async () => {
    const task = createTask(() => timeout(10, slowToEnd(20)));
    await sleep(15);
    task.cancel("someone else");
    await assertRejects(() => task, CancelledError, "someone else");
    assertEquals(task.cancelling(), 1);
  }),
);

Deno.test(
  "T6 timeout(0) around a body without a wait ends cleanly and is not expired",
  virtual(async () => {
    let deadline: Timeout | undefined;
    const value = await timeout(0, async (each) => {
      deadline = each;
      await Promise.resolve();
      return "value";
    });
    assertEquals(value, "value");
    assertFalse(deadline!.expired());
    await sleep(0);
  }),
);

Deno.test(
  "T6 timeout(0) stops at the first wait, even sleep(0)",
  virtual(async () => {
    for (const ms of [0, -1, -Infinity]) {
      let deadline: Timeout | undefined;
      let passed = false;
      await assertRejects(() =>
        timeout(ms, async (each) => {
          deadline = each;
          await sleep(0);
          passed = true;
        }), TimeoutError);
      assert(deadline!.expired());
      assertFalse(passed);
    }
  }),
);

Deno.test(
  "T7 a body that keeps the CancelledError and ends: no TimeoutError, expired, count restored",
  virtual(async () => {
    let deadline: Timeout | undefined;
    const value = await timeout(10, async (each) => {
      deadline = each;
      await sleep(1000).catch(() => {});
      return "declined";
    });
    assertEquals(value, "declined");
    assert(deadline!.expired());
    assertEquals(currentTask()!.cancelling(), 0);
  }),
);

Deno.test(
  "T7 the same where the cancellation came through the signal",
  virtual(async () => {
    const value = await timeout(10, async () => {
      await foreignOperation(cancelSignal()).catch(() => {});
      return "declined";
    });
    assertEquals(value, "declined");
    await sleep(0);
  }),
);

Deno.test(
  "T8 an error of the body on expiry passes, with the TimeoutError as its cause",
  virtual(async () => {
    const error = await assertRejects(() =>
      timeout(10, async () => {
        await sleep(1000).catch(() => {
          throw new RangeError("broken clean-up");
        });
      }), RangeError);
    assertInstanceOf(error.cause, TimeoutError);
    assertInstanceOf(error.cause.cause, CancelledError);
  }),
);

Deno.test(
  "T8 a cause that the error names itself is kept",
  virtual(async () => {
    const cause = new Error("the disk");
    const error = await assertRejects(() =>
      timeout(10, async () => {
        await sleep(1000).catch(() => {
          throw new RangeError("broken clean-up", { cause });
        });
      }), RangeError);
    assertStrictEquals(error.cause, cause);
  }),
);

Deno.test(
  "T9 reschedule() after the end or after the expiry throws InvalidStateError",
  virtual(async () => {
    let deadline: Timeout | undefined;
    const keep = (each: Timeout) => {
      deadline = each;
    };
    await timeout(10, keep);
    assertThrows(
      () => deadline!.reschedule(20),
      InvalidStateError,
      "as it is not active: received a call on <Timeout finished>",
    );
    await timeout(10, async (each) => {
      keep(each);
      await sleep(1000).catch(() => {});
      assertThrows(
        () => each.reschedule(1000),
        InvalidStateError,
        "<Timeout expired>",
      );
    });
  }),
);

// Better than asyncio, which refuses: a timeout is a scope, and needs no task.
Deno.test("T9 outside of any task timeout() works as well", async () => {
  assertEquals(currentTask(), null);
  assertEquals(await timeout(60_000, () => sleep(0, "value")), "value");
  await assertRejects(() => timeout(1, () => sleep(60_000)), TimeoutError);
  await sleep(0);
});

Deno.test(
  "T10 reschedule(null) disarms, another time moves the deadline",
  virtual(async () => {
    await timeout(10, async (deadline) => {
      deadline.reschedule(null);
      assertEquals(deadline.when(), null);
      await sleep(100);
    });
    await assertRejects(() =>
      timeout(10, async (deadline) => {
        deadline.reschedule(150);
        assertEquals(String(deadline), "<Timeout active when=150>");
        await sleep(1000);
      }), TimeoutError);
    assertEquals(now(), 150);
  }),
);

Deno.test(
  "T10 a time that has passed takes effect in the next iteration",
  virtual(async () => {
    const passed: string[] = [];
    await sleep(10);
    await assertRejects(() =>
      timeout(null, async (deadline) => {
        deadline.reschedule(5);
        passed.push("the same step");
        await sleep(0);
        await sleep(0);
        passed.push("later iterations");
      }), TimeoutError);
    assertEquals(passed, ["the same step"]);
  }),
);

Deno.test(
  "T11 a timeout in a task of a group comes out as ExceptionGroup of TimeoutError",
  virtual(async () => {
    const error = await assertRejects(() =>
      taskGroup((group) => {
        group.createTask(() => timeout(10, () => sleep(1000)));
      }), ExceptionGroup);
    assertEquals(error.errors.length, 1);
    assertInstanceOf(error.errors[0], TimeoutError);
  }),
);

Deno.test(
  "T12 a timeout around a group cancels its tasks and comes out bare",
  virtual(async () => {
    const ended: string[] = [];
    await assertRejects(() =>
      timeout(10, () =>
        taskGroup((group) => {
          for (const name of ["one", "two"]) {
            group.createTask(() => sleep(1000).finally(() => ended.push(name)));
          }
        })), TimeoutError);
    assertEquals(ended.sort(), ["one", "two"]);
    assertEquals(currentTask()!.cancelling(), 0);
  }),
);

Deno.test(
  "timeouts side by side in one task do not touch each other",
  virtual(async () => {
    const ends = await Promise.allSettled([
      timeout(5, () => sleep(100)),
      timeout(60, () => sleep(30, "in time")),
      sleep(50, "no timeout"),
      timeout(20, async () => {
        await Promise.all([sleep(10), timeout(15, () => sleep(100))]);
      }),
    ]);
    assertEquals(
      ends.map((end) =>
        end.status === "fulfilled" ? end.value : end.reason.name
      ),
      ["TimeoutError", "in time", "no timeout", "TimeoutError"],
    );
    assertEquals(now(), 50);
    assertEquals(currentTask()!.cancelling(), 0);
  }),
);

Deno.test(
  "a task that is cancelled ends all its timeouts, as cancellations",
  virtual(async () => {
    let names: string[] = [];
    const task = createTask(async () => {
      const ends = await Promise.allSettled([
        timeout(50, () => sleep(100)),
        timeout(60, () => timeout(70, () => sleep(100))),
        sleep(100),
      ]);
      names = ends.map((end) => end.status === "rejected" && end.reason.name);
    });
    await sleep(5);
    task.cancel();
    await task;
    assertEquals(names, Array(3).fill("CancelledError"));
    assertEquals(now(), 5);
  }),
);

Deno.test(
  "a timeout that is not awaited goes on in the task, and is cancelled with it",
  virtual(async () => {
    let left: Promise<void> | undefined;
    const task = createTask(async () => {
      await timeout(100, () => {
        left = sleep(1000);
      });
      await sleep(500);
    });
    await sleep(50);
    task.cancel();
    await assertRejects(() => task, CancelledError);
    await assertRejects(() => left!, CancelledError);
  }),
);

Deno.test(
  "cancelSignal() in a timeout is its own: aborted on expiry, not at a quiet end",
  virtual(async () => {
    const signals: AbortSignal[] = [];
    await timeout(10, () => {
      signals.push(cancelSignal());
    });
    await assertRejects(() =>
      timeout(10, async () => {
        signals.push(cancelSignal());
        await sleep(1000);
      }), TimeoutError);
    await sleep(100);
    assertEquals(signals.map((signal) => signal.aborted), [false, true]);
    assertFalse(currentTask()!.signal.aborted);
  }),
);

Deno.test(
  "a timeout stops a foreign operation through the signal, and finally may wait",
  virtual(async () => {
    let cleaned = false;
    const error = await assertRejects(() =>
      timeout(10, async () => {
        try {
          await foreignOperation(cancelSignal());
        } finally {
          await sleep(5);
          cleaned = true;
        }
      }), TimeoutError);
    assertInstanceOf(error.cause, CancelledError);
    assert(cleaned);
    assertEquals(now(), 15);
  }),
);

Deno.test(
  "a timeout around a foreign promise throws when that has ended",
  virtual(async () => {
    const { promise, resolve } = deferred<string>();
    getRunningLoop().callLater(30, () => resolve("late"));
    await assertRejects(() => timeout(10, () => promise), TimeoutError);
    assertEquals(now(), 30);
    await sleep(0);
  }),
);

Deno.test(
  "a timeout's cancellation goes through tasks that the block awaits",
  virtual(async () => {
    const inner = createTask(() => sleep(1000));
    await assertRejects(() => timeout(10, () => inner), TimeoutError);
    assert(inner.cancelled());
    const declining = createTask(() => sleep(1000).catch(() => "declined"));
    assertEquals(await timeout(10, () => declining), "declined");
  }),
);

Deno.test(
  "a body that throws a CancelledError of its own is not timed out",
  virtual(async () => {
    await assertRejects(
      () => timeout(10, () => Promise.reject(new CancelledError("own"))),
      CancelledError,
      "own",
    );
    assertEquals(currentTask()!.cancelling(), 0);
  }),
);

Deno.test(
  "timeoutAt() takes a time of the loop, null is no limit",
  virtual(async () => {
    await sleep(5);
    await assertRejects(() => timeoutAt(15, () => sleep(1000)), TimeoutError);
    assertEquals(now(), 15);
    assertEquals(await timeoutAt(null, () => sleep(1000, 1)), 1);
    assertEquals(await timeout(null, () => sleep(1000, 2)), 2);
    assertEquals(await timeout(Infinity, () => sleep(1000, 3)), 3);
  }),
);

Deno.test(
  "moveOnAfter() ends quietly on expiry",
  virtual(async () => {
    let reached = false;
    const value = await moveOnAfter(10, async () => {
      await sleep(1000);
      reached = true;
      return "late";
    });
    assertEquals(value, undefined);
    assertFalse(reached);
    assertEquals(await moveOnAfter(10, () => sleep(1, "in time")), "in time");
    assertEquals(await moveOnAfter(null, () => sleep(100, "any")), "any");
    assertEquals(currentTask()!.cancelling(), 0);
    await sleep(0);
  }),
);

Deno.test(
  "moveOnAfter() lets everything else through",
  virtual(async () => {
    const task = createTask(() => moveOnAfter(10, () => sleep(1000)));
    await sleep(5);
    task.cancel();
    await assertRejects(() => task, CancelledError);
    await assertRejects(
      () => moveOnAfter(10, () => Promise.reject(new RangeError("far"))),
      RangeError,
    );
    await assertRejects(
      () => moveOnAfter(50, () => timeout(10, () => sleep(100))),
      TimeoutError,
    );
  }),
);

Deno.test(
  "a timeout leaves nothing registered: 10,000 in a row",
  virtual(async () => {
    const self = currentTask()!;
    for (let i = 0; i < 10_000; i++) await timeout(10, () => 1);
    assertEquals(self.cancelling(), 0);
    assertEquals(self.getStack(), []);
    await turns(2);
    assertEquals(now(), 0);
  }),
);

Deno.test(
  "timeout(), timeoutAt() and moveOnAfter() refuse bad times and bad functions",
  virtual(async () => {
    let ran = false;
    const work = () => {
      ran = true;
    };
    for (const open of [timeout, timeoutAt, moveOnAfter]) {
      await assertRejects(() => open(NaN, work), RangeError, "received NaN");
      await assertRejects(
        () => open("10" as never, work),
        TypeError,
        `must be a number of milliseconds: received "10"`,
      );
      await assertRejects(
        () => open(10, sleep(0) as never),
        TypeError,
        "'fn' must be a function: received a Promise",
      );
    }
    await timeout(10, (deadline) => {
      assertThrows(() => deadline.reschedule(NaN), RangeError, "NaN");
      assertEquals(deadline.when(), 10);
    });
    assertFalse(ran);
  }),
);

/** {@linkcode virtual} for a test with cases. */
function virtualWith<A extends unknown[]>(
  body: (...args: A) => Promise<void>,
): (...args: A) => Promise<void> {
  return (...args) => virtual(() => body(...args))();
}

Deno.test(
  "a call that nobody awaits does not take the cancellation from the wait that is awaited",
  virtual(async () => {
    const start = now();
    // Its rejection is handled, as a test runner looks for those that are not.
    const floating = () => void sleep(1000).catch(() => {});
    await assertRejects(
      () =>
        timeout(0, async () => {
          floating();
          await sleep(60_000);
        }),
      TimeoutError,
    );
    const task = createTask(async () => {
      currentTask()?.cancel();
      floating();
      await sleep(60_000);
    });
    await assertRejects(() => task, CancelledError);
    assertEquals(now() - start, 0);
  }),
);

Deno.test(
  "T6 timeout(0) is not expired before its first wait, and can be rescheduled",
  virtual(async () => {
    const seen: unknown[] = [];
    const value = await timeout(0, async (deadline) => {
      seen.push(deadline.expired(), currentTask()!.cancelling());
      await Promise.resolve();
      seen.push(deadline.expired(), currentTask()!.cancelling());
      deadline.reschedule(null);
      return await sleep(5, "rescued");
    });
    assertEquals(value, "rescued");
    assertEquals(seen, [false, 0, false, 0]);
  }),
);

Deno.test(
  "T6 what is there already is given, whenever the deadline passed",
  virtual(async () => {
    const queue = new Queue<number>();
    for (const item of [1, 2, 3, 4]) queue.putNowait(item);
    const both = async () => [await queue.get(), await queue.get()];
    assertEquals(await timeout(0, both), [1, 2]);
    const moved = timeout(1000, (deadline) => {
      deadline.reschedule(now() - 1);
      return both();
    });
    assertEquals(await moved, [3, 4]);
    await assertRejects(() => timeout(0, both), TimeoutError);
    assertEquals(queue.statistics().getters, 0);
  }),
);

Deno.test(
  "T6 a deadline that has passed ends an await of something else by its signal",
  virtual(async () => {
    await assertRejects(
      () => timeout(0, () => foreignOperation(cancelSignal())),
      TimeoutError,
    );
  }),
);

Deno.test(
  "a cancellation that was taken back does not count when its error comes again",
  virtual(async () => {
    const ends: unknown[] = [];
    const blocks: ((inner: Task) => PromiseLike<unknown>)[] = [
      (inner) =>
        timeout(5, async () => {
          try {
            await sleep(60_000);
          } finally {
            await inner;
          }
        }),
      (inner) =>
        taskGroup(async (group) => {
          group.createTask(async () => {
            await sleep(5);
            group.cancel();
          });
          try {
            await sleep(60_000);
          } finally {
            await inner;
          }
        }),
    ];
    for (const block of blocks) {
      const inner = createTask(() => sleep(60_000));
      const task = createTask(async () => {
        try {
          await inner;
        } catch {
          currentTask()!.uncancel();
        }
        await block(inner);
        return "went on";
      });
      await sleep(1);
      task.cancel();
      ends.push(await outcome(task));
    }
    assertEquals(ends, ["TimeoutError", "went on"]);
  }),
);
