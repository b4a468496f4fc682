/** What only JavaScript raises: the J statements that the core touches. */
import {
  type Alarm,
  type AlarmTarget,
  asCompleted,
  CancelledError,
  cancelSignal,
  checkCancelled,
  type Clock,
  ContextVar,
  createTask,
  currentTask,
  ensureFuture,
  Event,
  gather,
  getEventLoop,
  getRunningLoop,
  isCancelledError,
  Lock,
  moveOnAfter,
  newEventLoop,
  Queue,
  run,
  Runner,
  runVirtual,
  shield,
  sleep,
  type Task,
  taskGroup,
  timeout,
  TimeoutError,
  wait,
  waitFor,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { collectUntil, hasGc } from "../_support/gc.ts";
import { runProgram } from "../_support/programs.ts";
import {
  collectReports,
  countingSignal,
  deferred,
  foreignOperation,
  turns,
  virtual,
} from "../_support/virtual.ts";

// ── J1: who awaits ─────────────────────────────────────────────────────────

Deno.test(
  "J1 await calls then() of a thenable in the awaiting task",
  virtual(async () => {
    const seen: (string | undefined)[] = [];
    const thenable: PromiseLike<string> = {
      then(onFulfilled) {
        seen.push(currentTask()?.name);
        return Promise.resolve("value").then(onFulfilled);
      },
    };
    const task = createTask(async () => await thenable, { name: "awaits" });
    assertEquals(await task, "value");
    assertEquals(seen, ["awaits"]);
  }),
);

Deno.test(
  "J1 await of a task or a future is where the awaiting task is cancelled",
  virtual(async () => {
    const future = getRunningLoop().createFuture<void>();
    const inner = createTask(() => sleep(60_000), { name: "inner" });
    const outers = [inner, future].map((each) =>
      createTask(async () => await each)
    );
    await turns(2);
    assertEquals(outers[0]!.getStack().length, 1);
    assertStringIncludes(outers[0]!.getStack()[0]!, `name="inner"`);
    for (const outer of outers) {
      outer.cancel();
      await assertRejects(() => outer, CancelledError);
    }
    assert(inner.cancelled() && future.cancelled());
  }),
);

Deno.test(
  "J1 Promise.all(), race() and async iteration are cancelled through what they await",
  virtual(async () => {
    const forever = () => createTask(() => sleep(60_000));
    const bodies: (() => Promise<unknown>)[] = [
      () => Promise.all([forever(), forever()]),
      () => Promise.race([forever(), forever()]),
      () => Promise.any([forever(), forever()]),
      () => Promise.allSettled([sleep(60_000)]),
      async () => {
        for await (const _ of new Queue()) { /* never */ }
      },
    ];
    for (const body of bodies) {
      const task = createTask(body);
      await turns(3);
      task.cancel();
      await task.catch(() => {});
      assert(task.done());
    }
  }),
);

// ── J2: promises of the host ───────────────────────────────────────────────

Deno.test(
  "J2 a native promise is not interrupted: the cancellation comes at the next wait",
  virtual(async () => {
    const foreign = deferred<string>();
    const seen: string[] = [];
    const task = createTask(async () => {
      seen.push(await foreign.promise);
      await sleep(1);
      seen.push("never");
    });
    await turns(2);
    task.cancel();
    await turns(5);
    assertFalse(task.done());
    foreign.resolve("foreign value");
    await assertRejects(() => task, CancelledError);
    assertEquals(seen, ["foreign value"]);
  }),
);

Deno.test(
  "J2 ensureFuture() makes waiting for a native promise interruptible",
  virtual(async () => {
    const { promise } = deferred<void>();
    const task = createTask(async () => await ensureFuture(promise));
    await turns(2);
    task.cancel();
    await assertRejects(() => task, CancelledError);
    await assertRejects(() => waitFor(promise, 5), TimeoutError);
  }),
);

Deno.test(
  "J2 task.signal and cancelSignal() stop the operation itself",
  virtual(async () => {
    const task = createTask(() => foreignOperation(cancelSignal()));
    await turns(2);
    task.cancel("stop");
    await assertRejects(() => task, CancelledError, "stop");
    assert(task.signal.aborted);
    assert(isCancelledError(task.signal.reason));
    await assertRejects(
      () => timeout(5, () => foreignOperation(cancelSignal())),
      TimeoutError,
    );
  }),
);

// ── J3: catch {} ───────────────────────────────────────────────────────────

Deno.test(
  "J3 a catch-all keeps the CancelledError, and the task goes on: one request, one error",
  virtual(async () => {
    const task = createTask(async () => {
      try {
        await sleep(60_000);
      } catch {
        // It is an ordinary Error.
      }
      checkCancelled();
      return await sleep(5, currentTask()!.cancelling());
    });
    await turns(1);
    task.cancel();
    assertEquals(await task, 1);
  }),
);

Deno.test(
  "J3 isCancelledError() and checkCancelled() tell a cancellation apart",
  virtual(async () => {
    const task = createTask(() => {
      currentTask()!.cancel("meanwhile");
      checkCancelled();
    });
    const error = await assertRejects(() => task);
    assert(isCancelledError(error));
    assertFalse(isCancelledError(new TimeoutError()));
    assert(task.cancelled());
  }),
);

// ── J4: rejections ─────────────────────────────────────────────────────────

Deno.test("J4 a task that fails unnoticed goes through the exception handler", async () => {
  const reports: unknown[] = [];
  await runVirtual(async () => {
    getRunningLoop().setExceptionHandler(({ error }) => reports.push(error));
    createTask(() => Promise.reject("unnoticed"));
    createTask(() => Promise.reject(undefined));
    await sleep(1);
  });
  assertEquals(reports, ["unnoticed", undefined]);
});

Deno.test("J4 cancelling never ends the program, whatever floats", async () => {
  const { code, stderr } = await runProgram("floating_calls");
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
});

// ── J5: long timers ────────────────────────────────────────────────────────

Deno.test("J5 a sleep of more than 2^31 - 1 ms does not end at once", async () => {
  await run(async () => {
    const tasks = [2 ** 31, 2 ** 40, Infinity].map((ms) =>
      createTask(() => sleep(ms))
    );
    await new Promise((resolve) => setTimeout(resolve, 5));
    await turns(2);
    for (const task of tasks) {
      assertFalse(task.done());
      task.cancel();
    }
    await wait(tasks);
  });
});

// ── J6: callbacks of the host ──────────────────────────────────────────────

/** A clock that rings when told to, from whatever code tells it. */
class HandClock implements Clock {
  #now = 0;
  #alarms = new Set<{ when: number; target: AlarmTarget }>();

  now(): number {
    return this.#now;
  }

  setAlarm(when: number, target: AlarmTarget): Alarm {
    const alarm = { when, target };
    this.#alarms.add(alarm);
    return { cancel: () => this.#alarms.delete(alarm) };
  }

  ringAt(now: number): void {
    this.#now = now;
    for (const alarm of [...this.#alarms]) {
      this.#alarms.delete(alarm);
      alarm.target.ring();
    }
  }
}

Deno.test("J6 whoever rings the clock, code goes on in its own task and loop", async () => {
  const clock = new HandClock();
  const loop = newEventLoop({ clock });
  const seen: unknown[] = [];
  const variable = new ContextVar("variable", { defaultValue: "none" });
  const main = run(async () => {
    variable.set("inner");
    const look = (what: string) =>
      seen.push([what, currentTask()?.name, variable.get()]);
    getRunningLoop().callLater(5, () => {
      look("callback");
      assertStrictEquals(getRunningLoop(), loop);
    });
    await createTask(async () => {
      await sleep(5);
      look("task");
      assertStrictEquals(getRunningLoop(), loop);
    }, { name: "sleeper" });
    await waitFor(() => new Event().wait(), 5).catch(() => look("timeout"));
  }, { loop });
  await runVirtual(async () => {
    variable.set("outer");
    await turns(20);
    clock.ringAt(5);
    await turns(20);
  });
  await new Promise((resolve) => setImmediate(resolve));
  clock.ringAt(10);
  await main;
  assertEquals(seen, [
    ["callback", undefined, "inner"],
    ["task", "sleeper", "inner"],
    ["timeout", seen.length > 2 ? (seen[2] as string[])[1] : "", "inner"],
  ]);
});

Deno.test("J6 what settles a future may come from anywhere", async () => {
  await run(async () => {
    const loop = getRunningLoop();
    const future = loop.createFuture<string>();
    const event = new Event();
    const outside = new Promise<void>((resolve) => {
      // As a callback without our async context would.
      setTimeout(() => {
        future.setResult("settled");
        event.set();
        resolve();
      }, 1);
    });
    const task = createTask(async () => {
      const value = await future;
      await event.wait();
      assertStrictEquals(getRunningLoop(), loop);
      return [value, currentTask()?.name];
    }, { name: "waits" });
    assertEquals(await task, ["settled", "waits"]);
    await outside;
  });
});

// ── J7: listeners and generators ───────────────────────────────────────────

Deno.test(
  "J7 an abort listener runs in its dispatcher's task, and cancels the right one",
  virtual(async () => {
    const controller = new AbortController();
    const seen: (string | undefined)[] = [];
    controller.signal.addEventListener("abort", () => {
      seen.push(currentTask()?.name);
    });
    const victim = createTask(() => sleep(60_000), {
      name: "victim",
      signal: controller.signal,
    });
    await turns(1);
    await createTask(() => controller.abort("reason"), { name: "dispatcher" });
    const error = await assertRejects(() => victim, CancelledError);
    assertEquals([error.reason, error.by], ["reason", "dispatcher"]);
    assertEquals(seen, ["dispatcher"]);
  }),
);

Deno.test(
  "J7 a listener on a task's own signal does not act for the canceller's task",
  virtual(async () => {
    const seen: string[] = [];
    const victim = createTask(async () => {
      cancelSignal().addEventListener("abort", () => {
        seen.push(`listener in ${currentTask()?.name}`);
      });
      await sleep(60_000);
    });
    await turns(1);
    const canceller = createTask(async () => {
      victim.cancel();
      await sleep(1);
      seen.push("canceller goes on");
    }, { name: "canceller" });
    await canceller;
    assert(victim.cancelled());
    assertEquals(seen, ["listener in canceller", "canceller goes on"]);
  }),
);

Deno.test(
  "J7 an async generator runs in the task of whoever calls next()",
  virtual(async () => {
    async function* names(): AsyncGenerator<string | undefined> {
      for (;;) {
        await sleep(1);
        yield currentTask()?.name;
      }
    }
    const generator = names();
    const next = async () => (await generator.next()).value;
    const one = await createTask(next, { name: "one" });
    const two = await createTask(next, { name: "two" });
    assertEquals([one, two], ["one", "two"]);
    const third = createTask(next, { name: "three" });
    await turns(1);
    third.cancel();
    await assertRejects(() => third, CancelledError);
    await generator.return(undefined);
  }),
);

// ── J13: garbage ───────────────────────────────────────────────────────────

Deno.test({
  name: "J13 a task that ended is collected, with what it held",
  ignore: !hasGc,
  fn: () =>
    runVirtual(async () => {
      const collected: string[] = [];
      const registry = new FinalizationRegistry<string>((name) =>
        collected.push(name)
      );
      await (async () => {
        const held = { large: true };
        registry.register(held, "held");
        const task = createTask(async () => {
          await sleep(1);
          assert(held.large);
        });
        registry.register(task, "task");
        await task;
        const cancelled = createTask(() => sleep(60_000));
        registry.register(cancelled, "cancelled");
        await turns(1);
        cancelled.cancel();
        await cancelled.catch(() => {});
      })();
      // The library holds on to the promise of its last wait.
      await turns(1);
      await collectUntil(() => collected.length === 3);
      assertEquals(collected.sort(), ["cancelled", "held", "task"]);
    }),
});

Deno.test({
  name: "J13 S5 what shield() was given runs on though nobody holds it",
  ignore: !hasGc,
  fn: () =>
    runVirtual(async () => {
      let wake = () => {};
      let finished = false;
      const waiter = createTask(() =>
        shield(async () => {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          finished = true;
        })
      );
      await turns(2);
      waiter.cancel();
      await assertRejects(() => waiter, CancelledError);
      let rounds = 0;
      await collectUntil(() => ++rounds > 3);
      wake();
      await turns(2);
      assert(finished);
    }),
});

// ── J15: signals and their listeners ───────────────────────────────────────

Deno.test(
  "J15 a task and each scope in it have one signal, made when asked for",
  virtual(async () => {
    const task = createTask(async () => {
      const outer = cancelSignal();
      assertStrictEquals(cancelSignal(), outer);
      await timeout(1000, async () => {
        const inner = cancelSignal();
        assert(inner !== outer);
        await sleep(1);
        assertStrictEquals(cancelSignal(), inner);
      });
      return outer;
    });
    assertStrictEquals(await task, task.signal);
    assertFalse(task.signal.aborted);
  }),
);

Deno.test(
  "J15 a long-lived signal keeps no listener of what has ended",
  virtual(async () => {
    const { signal, listeners } = countingSignal();
    for (let i = 0; i < 100; i++) {
      await createTask(() => sleep(1), { signal });
      await gather([() => sleep(1)], { signal });
    }
    const failed = createTask(() => Promise.reject(new Error("x")), { signal });
    await assertRejects(() => failed);
    const cancelled = createTask(() => sleep(60_000), { signal });
    await turns(1);
    cancelled.cancel();
    await assertRejects(() => cancelled);
    await turns(2);
    assertEquals(listeners(), 0);
  }),
);

// ── J17: nothing is left ───────────────────────────────────────────────────

Deno.test("J17 after cancelling and timing out on the host's clock nothing is left", async () => {
  // Every timer here is the host's, and longer than the test: the sanitizer
  // finds one that is left.
  await run(async () => {
    await assertRejects(() => timeout(1, () => sleep(60_000)), TimeoutError);
    await timeout(60_000, () => sleep(0));
    await waitFor(() => sleep(0), 60_000);
    assertEquals(await moveOnAfter(60_000, () => 1), 1);
    await wait([() => sleep(0)], { timeout: 60_000 });
    for await (const done of asCompleted([() => 1], { timeout: 60_000 })) {
      assertEquals(done.result(), 1);
    }
    const task = createTask(() => sleep(60_000));
    await turns(1);
    task.cancel();
    await assertRejects(() => task, CancelledError);
    getRunningLoop().callLater(60_000, () => {}).cancel();
  });
});

Deno.test("J17 nothing is left of the default loop's timers either", async () => {
  await assertRejects(() => timeout(1, () => sleep(60_000)), TimeoutError);
  await timeout(60_000, () => sleep(0));
  getEventLoop().callLater(60_000, () => {}).cancel();
  const task = createTask(() => sleep(60_000));
  await sleep(0);
  task.cancel();
  await assertRejects(() => task, CancelledError);
  // The host's timer is cleared at the end of the turn.
  await new Promise((resolve) => setImmediate(resolve));
});

// ── J18: using ─────────────────────────────────────────────────────────────

Deno.test("J18 a loop, a runner and a lock end with their block", async () => {
  let loop;
  {
    using inner = newEventLoop();
    loop = inner;
  }
  assert(loop.isClosed());
  const lock = new Lock();
  {
    await using runner = new Runner();
    loop = runner.getLoop();
    await runner.run(async () => {
      using _hold = await lock.acquire();
      assert(lock.locked());
    });
  }
  assert(loop.isClosed());
  assertFalse(lock.locked());
});

Deno.test(
  "J18 the same without using: with(), timeout(), taskGroup()",
  virtual(async () => {
    const reports = collectReports();
    const lock = new Lock();
    const tasks: Task[] = [];
    await lock.with(() =>
      taskGroup((group) =>
        timeout(100, async () => {
          tasks.push(group.createTask(() => sleep(5)));
          await sleep(1);
          assert(lock.locked());
        })
      )
    );
    assertFalse(lock.locked());
    assert(tasks.every((task) => task.done()));
    assertEquals(reports, []);
  }),
);
