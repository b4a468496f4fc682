import {
  CancelledError,
  createTask,
  InvalidStateError,
  run,
  sleep,
  type Task,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";
import { Condition, Lock } from "@asyncio/asyncio/sync";
import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  hops,
  MANY_HOPS,
  outcome,
  outcomes,
  shown,
} from "../_support/outcome.ts";
import { turns, virtual } from "../_support/virtual.ts";

/** Tasks that wait, then say so while they hold the lock. */
function waiters(condition: Condition, names: string, log: string[]) {
  return [...names].map((name) =>
    createTask(async () => {
      using _ = await condition.acquire();
      try {
        await condition.wait();
        log.push(name);
      } catch (error) {
        assert(condition.locked());
        log.push(`${name} cancelled`);
        throw error;
      }
    })
  );
}

Deno.test(
  "wait() lets go of the lock, and has it again when it ends",
  virtual(async () => {
    const condition = new Condition();
    const log: string[] = [];
    const [task] = waiters(condition, "a", log);
    await turns(2);
    assertFalse(condition.locked());
    const hold = await condition.acquire();
    condition.notify();
    await turns(2);
    assertEquals(log, []);
    hold[Symbol.dispose]();
    await task;
    assertEquals(log, ["a"]);
    assertFalse(condition.locked());
  }),
);

Deno.test(
  "L7 wait() that is cancelled takes the lock again first, waiting for it",
  virtual(async () => {
    const condition = new Condition();
    const log: string[] = [];
    const [task] = waiters(condition, "a", log);
    await turns(2);
    const hold = await condition.acquire();
    task!.cancel();
    await turns(5);
    assertEquals(log, []);
    assertFalse(task!.done());
    hold[Symbol.dispose]();
    await assertRejects(() => task!, CancelledError);
    assertEquals(log, ["a cancelled"]);
    assertFalse(condition.locked());
  }),
);

Deno.test(
  "L7 wait() that is cancelled takes a free lock again",
  virtual(async () => {
    const condition = new Condition();
    const log: string[] = [];
    const [task] = waiters(condition, "a", log);
    await turns(2);
    task!.cancel();
    await assertRejects(() => task!, CancelledError);
    assertEquals(log, ["a cancelled"]);
  }),
);

Deno.test(
  "L8 further cancellations do not break wait() out, and the last comes out",
  virtual(async () => {
    const condition = new Condition();
    const [task] = waiters(condition, "a", []);
    await turns(2);
    const hold = await condition.acquire();
    for (const reason of ["first", "second", "third"]) {
      task!.cancel(reason);
      await turns(2);
      assertFalse(task!.done());
      assertEquals(condition.statistics().lockWaiters, 1);
    }
    hold[Symbol.dispose]();
    const error = await assertRejects(() => task!, CancelledError);
    assertEquals(error.message, "third");
    assertEquals(task!.cancelling(), 3);
  }),
);

Deno.test(
  // asyncio goes to the end of the line with each cancellation.
  "L8 a task that takes the lock again keeps its place in line",
  virtual(async () => {
    const condition = new Condition();
    const log: string[] = [];
    const [task] = waiters(condition, "a", log);
    await turns(2);
    const hold = await condition.acquire();
    task!.cancel();
    await turns(1);
    const other = createTask(() => condition.with(() => log.push("other")));
    await turns(1);
    task!.cancel();
    await turns(1);
    hold[Symbol.dispose]();
    await outcomes([task!, other]);
    assertEquals(log, ["a cancelled", "other"]);
  }),
);

Deno.test(
  "L9 a waiter notified and cancelled in one step passes it on",
  virtual(async () => {
    const condition = new Condition();
    const log: string[] = [];
    const tasks = waiters(condition, "abc", log);
    await turns(2);
    await condition.with(() => condition.notify());
    tasks[0]!.cancel();
    await turns(5);
    assertEquals(log, ["a cancelled", "b"]);
    assertEquals(condition.statistics().waiters, 1);
    await condition.with(() => condition.notify());
    assertEquals(await outcomes(tasks), [
      "CancelledError",
      undefined,
      undefined,
    ]);
  }),
);

Deno.test(
  "L9 a waiter cancelled between its notification and the lock passes it on",
  virtual(async () => {
    const condition = new Condition();
    const log: string[] = [];
    const tasks = waiters(condition, "abc", log);
    await turns(2);
    const hold = await condition.acquire();
    condition.notify();
    await turns(3);
    tasks[0]!.cancel();
    await turns(3);
    assertEquals(log, []);
    hold[Symbol.dispose]();
    await turns(10);
    assertEquals(log, ["a cancelled", "b"]);
    assertEquals(condition.statistics().waiters, 1);
    await condition.with(() => condition.notifyAll());
    await outcomes(tasks);
  }),
);

Deno.test(
  // asyncio wakes another waiter for nothing here.
  "L9 a waiter cancelled before any notification wakes no other",
  virtual(async () => {
    const condition = new Condition();
    const log: string[] = [];
    const tasks = waiters(condition, "ab", log);
    await turns(2);
    tasks[0]!.cancel();
    await turns(10);
    assertEquals(log, ["a cancelled"]);
    assertEquals(condition.statistics().waiters, 1);
    await condition.with(() => condition.notify());
    await outcomes(tasks);
  }),
);

Deno.test(
  "L9 no notification is lost wherever in wait() the cancellation comes",
  virtual(async () => {
    for (let before = 0; before < 2 * MANY_HOPS; before++) {
      for (const contested of [true, false]) {
        const condition = new Condition();
        const log: string[] = [];
        const tasks = waiters(condition, "ab", log);
        await turns(2);
        const hold = await condition.acquire();
        condition.notify();
        if (!contested) hold[Symbol.dispose]();
        await hops(before);
        tasks[0]!.cancel();
        await turns(3);
        hold[Symbol.dispose]();
        await turns(5);
        // Either the first went on, and then its notification was not passed
        // on, or the second did.
        const woken = log.filter((entry) => !entry.endsWith("cancelled"));
        assertEquals(woken.length, 1, `${before} ${contested}: ${log}`);
        await condition.with(() => condition.notifyAll());
        await outcomes(tasks);
        assertFalse(condition.locked());
      }
    }
  }),
);

Deno.test(
  "L10 wait() and notify() without the lock throw",
  virtual(async () => {
    const condition = new Condition();
    const refused = (call: () => Promise<unknown>) =>
      assertRejects(call, InvalidStateError, "its lock is not held");
    await refused(() => condition.wait());
    await refused(() => condition.waitFor(() => true));
    assertThrows(() => condition.notify(), InvalidStateError, "not held");
    assertThrows(() => condition.notifyAll(), InvalidStateError, "not held");
    assertThrows(() => condition.release(), InvalidStateError, "not held");
  }),
);

Deno.test(
  "L10 notify(n) wakes n at the most, in order of arrival",
  virtual(async () => {
    const condition = new Condition();
    const log: string[] = [];
    const tasks = waiters(condition, "abcdef", log);
    await turns(2);
    const woken = async (n?: number) => {
      await condition.with(() => condition.notify(n));
      await turns(10);
      return log.splice(0).join("");
    };
    assertEquals(await woken(0), "");
    assertEquals(await woken(), "a");
    assertEquals(await woken(2), "bc");
    assertEquals(await woken(100), "def");
    await outcomes(tasks);
  }),
);

Deno.test(
  "L10 notifyAll() wakes those that wait, and none that come later",
  virtual(async () => {
    const condition = new Condition();
    const log: string[] = [];
    const tasks = waiters(condition, "ab", log);
    await turns(2);
    await condition.with(() => condition.notifyAll());
    tasks.push(...waiters(condition, "c", log));
    await turns(10);
    assertEquals(log.join(""), "ab");
    tasks[2]!.cancel();
    await outcomes(tasks);
  }),
);

Deno.test(
  "L11 waitFor() looks again each time, and gives the predicate's value",
  virtual(async () => {
    const condition = new Condition();
    let value: number | null = null;
    let asked = 0;
    const task = createTask(() =>
      condition.with(() =>
        condition.waitFor(() => {
          asked++;
          return value !== null && value > 2 ? value : null;
        })
      )
    );
    await turns(2);
    for (const next of [1, 2, 3]) {
      await condition.with(() => {
        value = next;
        condition.notify();
      });
      await turns(3);
    }
    const result: number = await task;
    assertEquals([result, asked], [3, 4]);
  }),
);

Deno.test(
  "waitFor() does not wait where the predicate is true",
  virtual(async () => {
    const condition = new Condition();
    using _ = await condition.acquire();
    assertEquals(await condition.waitFor(() => "yes"), "yes");
  }),
);

Deno.test(
  "waitFor() passes an error of the predicate on, with the lock held",
  virtual(async () => {
    const condition = new Condition();
    using _ = await condition.acquire();
    await assertRejects(
      () =>
        condition.waitFor(() => {
          throw new RangeError("no");
        }),
      RangeError,
      "no",
    );
    assert(condition.locked());
  }),
);

Deno.test(
  "waitFor() rejects a predicate that is none, or async",
  virtual(async () => {
    const condition = new Condition();
    using _ = await condition.acquire();
    await assertRejects(
      () => condition.waitFor(true as never),
      TypeError,
      "Cannot wait for a condition as 'predicate' must be a function: received true",
    );
    await assertRejects(
      () => condition.waitFor(async () => false),
      TypeError,
      "must not return a promise",
    );
  }),
);

Deno.test(
  "C17 wait() rejects a remembered cancellation, with the lock held",
  virtual(async () => {
    for (const how of ["wait", "waitFor"] as const) {
      const condition = new Condition();
      const task: Task = createTask(async () => {
        using _ = await condition.acquire();
        task.cancel();
        try {
          await condition[how](() => true);
        } finally {
          assert(condition.locked());
        }
      });
      await assertRejects(() => task, CancelledError);
      assertEquals(condition.statistics().waiters, 0);
      assertFalse(condition.locked());
    }
  }),
);

Deno.test(
  "a timeout around wait() ends once the lock was taken again",
  virtual(async () => {
    const condition = new Condition();
    const task = createTask(async () => {
      using _ = await condition.acquire();
      await timeout(10, () => condition.wait());
    });
    await sleep(5);
    const hold = await condition.acquire();
    await sleep(100);
    assertFalse(task.done());
    hold[Symbol.dispose]();
    await assertRejects(() => task, TimeoutError);
    assertFalse(condition.locked());
  }),
);

Deno.test(
  "T5 a timeout around wait() and a cancellation: the cancellation wins",
  virtual(async () => {
    for (const cancelAt of [5, 15]) {
      const condition = new Condition();
      const task = createTask(async () => {
        using _ = await condition.acquire();
        await timeout(10, () => condition.wait());
      });
      await sleep(1);
      const hold = await condition.acquire();
      await sleep(cancelAt);
      task.cancel();
      await sleep(20);
      hold[Symbol.dispose]();
      assertEquals(await outcome(task), "CancelledError");
      assertFalse(condition.locked());
    }
  }),
);

Deno.test(
  "the hold of acquire() stays good through wait()",
  virtual(async () => {
    const condition = new Condition();
    const task = createTask(async () => {
      const hold = await condition.acquire();
      await condition.wait();
      assert(condition.locked());
      hold[Symbol.dispose]();
      assertFalse(condition.locked());
    });
    await turns(2);
    await condition.with(() => condition.notify());
    await task;
  }),
);

Deno.test(
  "two conditions share a lock",
  virtual(async () => {
    const lock = new Lock();
    const full = new Condition(lock);
    const empty = new Condition(lock);
    const log: string[] = [];
    const tasks = [...waiters(full, "f", log), ...waiters(empty, "e", log)];
    await turns(3);
    await lock.with(() => empty.notifyAll());
    await turns(3);
    assertEquals(log, ["e"]);
    await lock.with(() => full.notifyAll());
    await outcomes(tasks);
    assertEquals(log, ["e", "f"]);
  }),
);

Deno.test("L18 wait() in a second loop rejects, with the lock held", async () => {
  const condition = new Condition();
  const other = new Condition(new Lock());
  await run(async () => {
    for (const each of [condition, other]) {
      const tasks = waiters(each, "a", []);
      await turns(2);
      await each.with(() => each.notify());
      await outcomes(tasks);
    }
  });
  await run(async () => {
    using _ = await condition.acquire();
    await assertRejects(
      () => condition.wait(),
      InvalidStateError,
      "bound to another event loop",
    );
    assert(condition.locked());
  });
});

Deno.test(
  "bad arguments are refused",
  virtual(async () => {
    assertThrows(
      () => new Condition({} as never),
      TypeError,
      "Cannot create a condition as 'lock' must be a Lock: received an object",
    );
    const condition = new Condition();
    using _ = await condition.acquire();
    assertThrows(() => condition.notify(-1), RangeError, "received -1");
    assertThrows(() => condition.notify(NaN), RangeError, "received NaN");
    assertThrows(() => condition.notify("1" as never), TypeError);
    await assertRejects(() => condition.with(1 as never), TypeError);
  }),
);

Deno.test(
  "a condition shows its state",
  virtual(async () => {
    const condition = new Condition();
    assertEquals(`${condition}`, "<Condition unlocked>");
    const tasks = waiters(condition, "ab", []);
    await turns(2);
    assertEquals(shown(condition), "<Condition unlocked waiters=2>");
    {
      using _ = await condition.acquire();
      assertEquals(`${condition}`, "<Condition locked waiters=2>");
      condition.notify();
      await turns(2);
      assertEquals(condition.statistics(), {
        locked: true,
        waiters: 1,
        lockWaiters: 1,
      });
      assert(Object.isFrozen(condition.statistics()));
      condition.notifyAll();
    }
    await outcomes(tasks);
  }),
);
