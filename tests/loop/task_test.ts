import {
  allTasks,
  CancelledError,
  cancelSignal,
  checkCancelled,
  checkpoint,
  createTask,
  currentTask,
  gather,
  getEventLoop,
  getRunningLoop,
  InvalidStateError,
  isCancelledError,
  newEventLoop,
  run,
  runVirtual,
  sleep,
  type Task,
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
import { runProgram } from "../_support/programs.ts";
import { slowToEnd } from "../_support/slow_clean_up.ts";
import {
  countingSignal,
  deferred,
  foreignOperation,
  now,
  slowForeignOperation,
  turns,
  virtual,
} from "../_support/virtual.ts";

Deno.test(
  "C1 cancel() on a pending task returns true, cancelled() waits for its end",
  virtual(async () => {
    const task = createTask(slowToEnd(10));
    await sleep(0);
    assert(task.cancel());
    assertFalse(task.cancelled());
    await sleep(5);
    assertFalse(task.cancelled() || task.done());
    await assertRejects(() => task, CancelledError);
    assert(task.cancelled());
    assertEquals(now(), 10);
  }),
);

Deno.test(
  "C2 cancel() on a finished task returns false and counts nothing",
  virtual(async () => {
    const task = createTask(() => 1);
    await task;
    assertFalse(task.cancel());
    assertEquals(task.cancelling(), 0);
    assertFalse(task.cancelled());
    assertEquals(task.result(), 1);
  }),
);

Deno.test(
  "C3 cancel() adds one to cancelling(), uncancel() takes one off, never below 0",
  virtual(async () => {
    const task = createTask(() => sleep(1000));
    await sleep(0);
    task.cancel();
    task.cancel();
    assertEquals(task.cancelling(), 2);
    assertEquals(task.uncancel(), 1);
    assertEquals(task.uncancel(), 0);
    assertEquals(task.uncancel(), 0);
    assertEquals(task.cancelling(), 0);
    await assertRejects(() => task, CancelledError);
  }),
);

Deno.test(
  "C4 cancel() before the first step runs no line of the body, not even finally",
  virtual(async () => {
    let ran = false;
    const task = createTask(async () => {
      ran = true;
      try {
        await sleep(0);
      } finally {
        ran = true;
      }
    });
    assert(task.cancel("changed my mind"));
    await assertRejects(() => task, CancelledError, "changed my mind");
    assertFalse(ran);
  }),
);

Deno.test(
  "C5 one request is one CancelledError: later waits work and the task may end normally",
  virtual(async () => {
    const task = createTask(async () => {
      await assertRejects(() => sleep(1000), CancelledError);
      await sleep(10);
      return "went on";
    });
    await sleep(0);
    task.cancel();
    assertEquals(await task, "went on");
    assertEquals(task.cancelling(), 1);
    assertFalse(task.cancelled());
  }),
);

Deno.test(
  "C6 two requests before delivery are one CancelledError",
  virtual(async () => {
    let caught = 0;
    const body = async () => {
      for (let round = 0; round < 3; round++) {
        await sleep(10).catch(() => caught++);
      }
    };
    const task = createTask(body);
    await sleep(0);
    task.cancel();
    task.cancel();
    await task;
    assertEquals(caught, 1);
    assertEquals(task.cancelling(), 2);
  }),
);

Deno.test(
  "C6 two requests while the task runs are one CancelledError",
  virtual(async () => {
    let caught = 0;
    const task = createTask(async () => {
      currentTask()!.cancel();
      currentTask()!.cancel();
      await sleep(10).catch(() => caught++);
      await sleep(10).catch(() => caught++);
    });
    await task;
    assertEquals(caught, 1);
    assertEquals(task.cancelling(), 2);
  }),
);

Deno.test(
  "C7 a second request while the handler of the first waits is delivered there",
  virtual(async () => {
    const caught: string[] = [];
    const task = createTask(async () => {
      try {
        await sleep(1000);
      } catch (first) {
        caught.push((first as Error).message);
        await sleep(1000).catch((second) => caught.push(second.message));
      }
    });
    await sleep(0);
    task.cancel("first");
    await sleep(10);
    task.cancel("second");
    await task;
    assertEquals(caught, ["first", "second"]);
    assertEquals(now(), 10);
  }),
);

Deno.test(
  "C8 cancelling a task that awaits another forwards the cancellation to it",
  virtual(async () => {
    const inner = createTask(() => sleep(1000));
    const outer = createTask(async () => await inner);
    await turns(2);
    outer.cancel();
    await assertRejects(() => outer, CancelledError);
    assert(inner.cancelled() && outer.cancelled());
  }),
);

Deno.test(
  "C8 an inner task that declines gives its value and the outer is not cancelled",
  virtual(async () => {
    const inner = createTask(async () => {
      await sleep(1000).catch(() => {});
      return "declined";
    });
    const outer = createTask(async () => await inner);
    await turns(2);
    outer.cancel();
    assertEquals(await outer, "declined");
    assertFalse(outer.cancelled() || inner.cancelled());
    assertEquals(outer.cancelling(), 1);
  }),
);

Deno.test(
  "C8 a cancellation goes down a long chain of tasks",
  virtual(async () => {
    const chain = [createTask(() => sleep(1000))];
    for (let i = 0; i < 500; i++) {
      const next = chain[i]!;
      chain.push(createTask(async () => await next));
    }
    await turns(2);
    chain.at(-1)!.cancel("all of you");
    await assertRejects(() => chain.at(-1)!, CancelledError, "all of you");
    assert(chain.every((task) => task.cancelled()));
  }),
);

Deno.test(
  "C9 another error raised while unwinding becomes the error of the task",
  virtual(async () => {
    const task = createTask(async () => {
      try {
        await sleep(1000);
      } finally {
        // deno-lint-ignore no-unsafe-finally -- what the test is about
        throw new RangeError("broken clean-up");
      }
    });
    await sleep(0);
    task.cancel();
    await assertRejects(() => task, RangeError, "broken clean-up");
    assertFalse(task.cancelled());
  }),
);

Deno.test(
  "C10 a body that cancels itself and returns without a wait ends cancelled",
  virtual(async () => {
    const task = createTask(() => {
      currentTask()!.cancel("at the end");
      return "dropped";
    });
    await assertRejects(() => task, CancelledError, "at the end");
    assert(task.cancelled());
  }),
);

Deno.test(
  "C11 a body that cancels itself and throws ends with that error",
  virtual(async () => {
    const task = createTask(() => {
      currentTask()!.cancel();
      throw new RangeError("too far");
    });
    await assertRejects(() => task, RangeError, "too far");
    assertFalse(task.cancelled());
  }),
);

Deno.test(
  "C12 a count brought back to 0 before delivery drops the cancellation",
  virtual(async () => {
    const task = createTask(async () => {
      const self = currentTask()!;
      self.cancel();
      self.cancel();
      self.uncancel();
      assertEquals(self.uncancel(), 0);
      return await sleep(10, "not cancelled");
    });
    assertEquals(await task, "not cancelled");
  }),
);

Deno.test(
  "C13 awaiting a cancelled task throws, and the awaiter's own cancelling() is 0",
  virtual(async () => {
    const task = createTask(() => sleep(1000));
    await sleep(0);
    task.cancel();
    const awaiter = createTask(async () => {
      await assertRejects(async () => await task, CancelledError);
      return currentTask()!.cancelling();
    });
    assertEquals(await awaiter, 0);
  }),
);

Deno.test(
  "C14 the very same error object reaches the body and every awaiter",
  virtual(async () => {
    let inside: unknown;
    const task = createTask(async () => {
      try {
        await sleep(1000);
      } catch (error) {
        inside = error;
        throw error;
      }
    });
    await sleep(0);
    task.cancel("no longer needed");
    const first = await assertRejects(() => task, CancelledError);
    const second = await assertRejects(() => task, CancelledError);
    assertStrictEquals(first, inside);
    assertStrictEquals(second, inside);
    assertEquals(first.message, "no longer needed");
  }),
);

Deno.test(
  "C14 the error carries what was given to cancel() and who asked",
  virtual(async () => {
    const reason = { code: 7 };
    const task = createTask(() => sleep(1000));
    const boss = createTask(() => task.cancel(reason), { name: "boss" });
    await boss;
    const error = await assertRejects(() => task, CancelledError);
    assertStrictEquals(error.reason, reason);
    assertEquals(error.by, "boss");
  }),
);

Deno.test(
  "C15 a body that throws a CancelledError of its own counts as cancelled",
  virtual(async () => {
    const task = createTask(() => {
      throw new CancelledError("my own");
    });
    await assertRejects(() => task, CancelledError, "my own");
    assert(task.cancelled());
    assertEquals(task.cancelling(), 0);
  }),
);

Deno.test(
  "C16 a future settled and its waiter cancelled in one step: CancelledError, and the future keeps its result",
  virtual(async () => {
    const future = getRunningLoop().createFuture<string>();
    const task = createTask(async () => await future);
    await turns(2);
    future.setResult("kept");
    task.cancel();
    await assertRejects(() => task, CancelledError);
    assertEquals(future.result(), "kept");
  }),
);

Deno.test(
  "C17 a cancellation of a running task is delivered at its next wait",
  virtual(async () => {
    const seen: string[] = [];
    const task = createTask(async () => {
      currentTask()!.cancel();
      seen.push("still running");
      await Promise.resolve();
      seen.push("after a foreign await");
      await sleep(0);
      seen.push("never");
    });
    await assertRejects(() => task, CancelledError);
    assertEquals(seen, ["still running", "after a foreign await"]);
  }),
);

Deno.test(
  "C17 awaiting a future is such a wait, whether it is pending or done",
  virtual(async () => {
    const loop = getRunningLoop();
    const [pending, done] = [loop.createFuture(), loop.createFuture()];
    done.setResult(1);
    for (const future of [pending, done]) {
      const task = createTask(async () => {
        currentTask()!.cancel();
        await future;
      });
      await assertRejects(() => task, CancelledError);
    }
    assert(pending.cancelled());
    assertEquals(done.result(), 1);
  }),
);

Deno.test(
  "C17 J2 a foreign promise is not interrupted: the task is cancelled when it ends",
  virtual(async () => {
    let finish = () => {};
    const foreign = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const task = createTask(async () => {
      await foreign;
      return "dropped";
    });
    await sleep(0);
    task.cancel();
    await turns(3);
    assertFalse(task.done());
    finish();
    await assertRejects(() => task, CancelledError);
  }),
);

Deno.test(
  "C20 setResult() and setException() of a task throw InvalidStateError",
  virtual(async () => {
    const task = createTask(() => 1, { name: "worker" });
    assertThrows(
      () => task.setResult(2),
      InvalidStateError,
      `Cannot set the result of a task: received a call on <Task pending name="worker">`,
    );
    assertThrows(
      () => task.setException(new Error()),
      InvalidStateError,
      "Cannot set the exception of a task",
    );
    assertEquals(await task, 1);
  }),
);

Deno.test(
  "C21 a task that awaits itself gets InvalidStateError",
  virtual(async () => {
    const task: PromiseLike<unknown> = createTask(async () => await task);
    await assertRejects(
      () => task,
      InvalidStateError,
      "Cannot await a task in itself: received <Task pending",
    );
  }),
);

Deno.test(
  "C22 a task starts in the next iteration, after the creator's synchronous code",
  virtual(async () => {
    const order: string[] = [];
    const task = createTask(() => order.push("task"));
    order.push("creator");
    await Promise.resolve();
    order.push("creator, after a foreign await");
    await task;
    assertEquals(order[0], "creator");
    assertEquals(order.includes("task"), true);
  }),
);

Deno.test(
  "C22 tasks start in the order in which they were created, among callbacks",
  virtual(async () => {
    const order: string[] = [];
    const loop = getRunningLoop();
    loop.callSoon(() => order.push("callback 1"));
    createTask(() => order.push("task 1"));
    loop.callSoon(() => order.push("callback 2"));
    createTask(() => order.push("task 2"));
    createTask(() => order.push("task 3"));
    await sleep(0);
    assertEquals(order, [
      "callback 1",
      "task 1",
      "callback 2",
      "task 2",
      "task 3",
    ]);
  }),
);

Deno.test(
  "C23 currentTask() is the task inside of it and null in plain callbacks",
  virtual(async () => {
    let inCallback: unknown = "not called";
    let inDoneCallback: unknown = "not called";
    const task = createTask(async () => {
      const here = currentTask();
      await sleep(1);
      assertStrictEquals(currentTask(), here);
      getRunningLoop().callSoon(() => {
        inCallback = currentTask();
      });
      await Promise.resolve();
      assertStrictEquals(currentTask(), here);
    });
    task.addDoneCallback(() => {
      inDoneCallback = currentTask();
    });
    await task;
    await turns(2);
    assertEquals([inCallback, inDoneCallback], [null, null]);
  }),
);

Deno.test("C23 currentTask() is null outside of any loop", () => {
  assertEquals(currentTask(), null);
});

Deno.test(
  "C23 allTasks() lists those that are not done, of one loop",
  virtual(async () => {
    const self = currentTask()!;
    const done = createTask(() => {});
    const pending = createTask(() => sleep(1000));
    await done;
    assertEquals(allTasks(), new Set([self, pending]));
    assertFalse(allTasks(getEventLoop()).has(done));
    const other = newEventLoop();
    assertEquals(allTasks(other).size, 0);
    assertEquals(currentTask(other), null);
    other.close();
    pending.cancel();
    await turns(2);
    assertEquals(allTasks(), new Set([self]));
  }),
);

Deno.test(
  "tasks that await each other can be cancelled, and shown",
  virtual(async () => {
    const one: Task<void> = createTask(async () => await two, { name: "one" });
    const two: Task<void> = createTask(async () => await one, { name: "two" });
    await sleep(0);
    await sleep(0);
    assertEquals(
      String(one),
      '<Task pending name="one" waiting for <Task pending name="two">>',
    );
    one.cancel("enough");
    await assertRejects(async () => await two, CancelledError, "enough");
    assert(one.cancelled());
    assert(two.cancelled());
  }),
);

Deno.test(
  "a task's error is thrown to whoever awaits it, by identity",
  virtual(async () => {
    const error = new RangeError("far");
    const task = createTask(async () => {
      await sleep(1);
      throw error;
    });
    assertStrictEquals(await assertRejects(() => task), error);
    assertStrictEquals(task.exception(), error);
  }),
);

Deno.test(
  "a task has a name that can be given and changed",
  virtual(async () => {
    const named = createTask(() => sleep(5), { name: "reader" });
    const numbered = createTask(() => {});
    assertEquals(named.name, "reader");
    assert(/^Task-\d+$/.test(numbered.name));
    named.name = "writer";
    await sleep(0);
    assertEquals(
      String(named),
      `<Task pending name="writer" waiting for sleep(5)>`,
    );
    assertEquals(named.getStack(), ["waiting for sleep(5)"]);
    await named;
    assertEquals(String(named), `<Task finished undefined name="writer">`);
  }),
);

Deno.test(
  "a name that is no string becomes one",
  virtual(async () => {
    const names = [5, Symbol("s"), 0, false, ["a"]].map((name) =>
      createTask(() => {}, { name: name as never }).name
    );
    assertEquals(names, ["5", "Symbol(s)", "0", "false", "a"]);
    await turns(2);
  }),
);

Deno.test(
  "a task that was asked to cancel, and is not done, says so",
  virtual(async () => {
    const task = createTask(async () => {
      await sleep(5).catch(() => {});
      await sleep(5);
    }, { name: "worker" });
    await sleep(0);
    task.cancel();
    assert(`${task}`.startsWith('<Task cancelling name="worker"'), `${task}`);
    await turns(2);
    assertEquals(
      `${task}`,
      '<Task cancelling name="worker" waiting for sleep(5)>',
    );
    task.uncancel();
    assert(`${task}`.startsWith("<Task pending "), `${task}`);
    task.cancel();
    await task.catch(() => {});
    assertEquals(`${task}`, '<Task cancelled name="worker">');
  }),
);

Deno.test(
  "eagerStart runs the function up to its first wait at once",
  virtual(async () => {
    const order: string[] = [];
    const task = createTask(async () => {
      order.push(currentTask()!.name);
      await sleep(0);
      order.push("later");
    }, { eagerStart: true, name: "eager" });
    order.push(currentTask()!.name === "eager" ? "wrong" : "creator");
    await task;
    assertEquals(order, ["eager", "creator", "later"]);
  }),
);

Deno.test(
  "cancelSignal() and task.signal are one signal, aborted when the task is cancelled",
  virtual(async () => {
    let signal: AbortSignal | undefined;
    const task = createTask(() => {
      signal = cancelSignal();
      return sleep(1000);
    });
    await sleep(0);
    assertStrictEquals(task.signal, signal);
    assertFalse(signal!.aborted);
    task.cancel("stop");
    assert(signal!.aborted);
    const error = await assertRejects(() => task, CancelledError, "stop");
    assertStrictEquals(signal!.reason, error);
  }),
);

Deno.test(
  "task.signal of a task that was cancelled before its start is aborted",
  virtual(async () => {
    const [before, after] = [createTask(() => {}), createTask(() => {})];
    const { signal } = before;
    before.cancel("at once");
    after.cancel("at once");
    assert(signal.aborted && after.signal.aborted);
    await assertRejects(() => before, CancelledError);
    await assertRejects(() => after, CancelledError);
  }),
);

Deno.test(
  "cancelSignal() stops a foreign operation, and the waits of finally work",
  virtual(async () => {
    for (const operation of [foreignOperation, slowForeignOperation]) {
      const start = now();
      let cleaned = false;
      const task = createTask(async () => {
        try {
          await operation(cancelSignal());
        } finally {
          await sleep(5);
          await checkpoint();
          cleaned = true;
        }
      });
      await sleep(0);
      task.cancel();
      await assertRejects(() => task, CancelledError);
      assert(cleaned);
      assertEquals(now() - start, 5);
    }
  }),
);

Deno.test(
  "a CancelledError that came through the signal can be declined as any other",
  virtual(async () => {
    for (const operation of [foreignOperation, slowForeignOperation]) {
      const task = createTask(async () => {
        await operation(cancelSignal()).catch(() => {});
        return "declined";
      });
      await sleep(0);
      task.cancel();
      assertEquals(await task, "declined");
      assertEquals(task.cancelling(), 1);
    }
  }),
);

Deno.test(
  "an operation that makes an AbortError of the signal ends the task cancelled",
  virtual(async () => {
    const task = createTask(async () => {
      const signal = cancelSignal();
      try {
        await foreignOperation(signal);
      } catch (cause) {
        const error = new Error("The operation was aborted", { cause });
        error.name = "AbortError";
        throw error;
      }
    });
    await sleep(0);
    task.cancel("stop");
    const error = await assertRejects(() => task, CancelledError, "stop");
    assertStrictEquals(error, task.signal.reason);
  }),
);

Deno.test(
  "a second cancellation after the signal was aborted is delivered as well",
  virtual(async () => {
    const { promise, resolve } = deferred<string>();
    const task = createTask(async () => {
      await foreignOperation(cancelSignal()).catch(() => {});
      await promise;
      await sleep(0);
    });
    await sleep(0);
    task.cancel("first");
    await sleep(1);
    task.cancel("second");
    resolve("the foreign await ends");
    await assertRejects(() => task, CancelledError, "second");
  }),
);

Deno.test(
  "code that uses no signal still gets the cancellation at its next wait",
  virtual(async () => {
    let finish = () => {};
    const task = createTask(async () => {
      cancelSignal();
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      await sleep(0);
      return "missed";
    });
    await sleep(0);
    task.cancel();
    await sleep(10);
    finish();
    await assertRejects(() => task, CancelledError);
  }),
);

Deno.test(
  "createTask() with a signal is cancelled by it, with the reason",
  virtual(async () => {
    const { signal, abort, listeners } = countingSignal();
    const task = createTask(() => sleep(1000), { signal });
    await sleep(0);
    assertEquals(listeners(), 1);
    const reason = new Error("shutting down");
    abort(reason);
    const error = await assertRejects(() => task, CancelledError);
    assertStrictEquals(error.reason, reason);
    assertEquals(listeners(), 0);
  }),
);

Deno.test(
  "createTask() with a signal stops listening when the task ends",
  virtual(async () => {
    const { signal, listeners } = countingSignal();
    await createTask(() => sleep(1), { signal });
    await createTask(() => Promise.reject(new Error()), { signal })
      .catch(() => {});
    await createTask(() => 1, { signal, eagerStart: true });
    assertEquals(listeners(), 0);
  }),
);

Deno.test(
  "createTask() with an aborted signal runs no line of the function",
  virtual(async () => {
    let ran = false;
    const { signal, listeners } = countingSignal();
    const aborted = AbortSignal.abort("too late");
    for (const eagerStart of [false, true]) {
      const task = createTask(() => {
        ran = true;
      }, { signal: aborted, eagerStart });
      await assertRejects(() => task, CancelledError, "too late");
    }
    assertFalse(ran);
    assertEquals(listeners(), 0);
    assertFalse(signal.aborted);
  }),
);

Deno.test("runVirtual() with a signal is cancelled by it, and stops listening", async () => {
  const { signal, abort, listeners } = countingSignal();
  const main = runVirtual(async () => {
    getRunningLoop().callLater(10, () => abort("enough"));
    await sleep(1000);
  }, { signal });
  await assertRejects(() => main, CancelledError, "enough");
  assertEquals(listeners(), 0);
  const quiet = countingSignal();
  await runVirtual(() => sleep(1), { signal: quiet.signal });
  assertEquals(quiet.listeners(), 0);
});

Deno.test(
  "an abort dispatched from another task names the right one",
  virtual(async () => {
    const controller = new AbortController();
    const task = createTask(() => sleep(1000), { signal: controller.signal });
    await sleep(0);
    await createTask(() => controller.abort(), { name: "aborter" });
    const error = await assertRejects(() => task, CancelledError);
    assertEquals(error.by, "aborter");
    assert(error.reason instanceof DOMException);
  }),
);

Deno.test(
  "checkCancelled() throws a remembered cancellation, once",
  virtual(async () => {
    const task = createTask(async () => {
      checkCancelled();
      currentTask()!.cancel("in a long computation");
      assertThrows(checkCancelled, CancelledError, "in a long computation");
      checkCancelled();
      return await sleep(1, "went on");
    });
    assertEquals(await task, "went on");
    assertEquals(task.cancelling(), 1);
  }),
);

Deno.test(
  "checkCancelled() does nothing outside of a cancelled task",
  () => checkCancelled(),
);

Deno.test(
  "checkpoint() lets the others have a turn and is where a task is cancelled",
  virtual(async () => {
    let rounds = 0;
    const busy = createTask(async () => {
      while (true) {
        rounds++;
        await checkpoint();
      }
    });
    await turns(3);
    busy.cancel();
    await assertRejects(() => busy, CancelledError);
    assert(rounds >= 3);
  }),
);

Deno.test(
  "all the waits of one task are cancelled, with one error",
  virtual(async () => {
    const errors: unknown[] = [];
    const note = (error: unknown) => {
      errors.push(error);
    };
    const task = createTask(async () => {
      const branch = async () => await sleep(500).catch(note);
      await Promise.all([sleep(100).catch(note), branch(), branch()]);
      return await sleep(1, "later waits work");
    });
    await sleep(0);
    task.cancel();
    assertEquals(await task, "later waits work");
    assertEquals(errors.length, 3);
    assertEquals(new Set(errors).size, 1);
  }),
);

Deno.test(
  "a cancelled sleep leaves no timer, on the host's clock",
  async () => {
    // Deno's sanitizers fail this test where the timer is left.
    const task = createTask(() => sleep(60_000));
    await sleep(0);
    task.cancel();
    await assertRejects(() => task, CancelledError);
    await assertRejects(() => timeout(0, () => sleep(60_000)), TimeoutError);
  },
);

const NOT_FUNCTIONS: readonly [value: unknown, shown: string][] = [
  [undefined, "received undefined"],
  [42, "received 42"],
  ["work", `received "work"`],
  [{}, "received an object"],
  [Promise.resolve(), "received a Promise: a promise has already started"],
];

Deno.test(
  "createTask() refuses what is not a function and leaves nothing behind",
  virtual(() => {
    const before = allTasks().size;
    for (const [value, shown] of NOT_FUNCTIONS) {
      const error = assertThrows(
        () => createTask(value as never),
        TypeError,
        "Cannot create a task as 'fn' must be a function",
      );
      assert(error.message.includes(shown), error.message);
    }
    assertEquals(allTasks().size, before);
  }),
);

Deno.test("createTask() tells the right line for a promise", () => {
  assertThrows(
    () => createTask(sleep(0) as never),
    TypeError,
    "write createTask(() => work()) instead of createTask(work())",
  );
});

Deno.test("createTask() on a closed loop throws and the function never runs", () => {
  const loop = newEventLoop();
  loop.close();
  let ran = false;
  const work = () => {
    ran = true;
  };
  assertThrows(
    () => createTask(work, { loop, eagerStart: true }),
    InvalidStateError,
    "Cannot create a task as the event loop is closed: received a call on <EventLoop closed>",
  );
  assertFalse(ran);
  assertEquals(allTasks(loop).size, 0);
});

Deno.test(
  "a task of another loop cannot be awaited",
  async () => {
    const other = newEventLoop();
    const task = createTask(() => 1, { loop: other });
    await runVirtual(() =>
      assertRejects(
        async () => await task,
        InvalidStateError,
        "belongs to another event loop",
      )
    );
    assertEquals(await other.runUntilComplete(task), 1);
    other.close();
  },
);

Deno.test(
  "10,000 tasks that sleep are cancelled and nothing is left",
  virtual(async () => {
    const tasks = Array.from(
      { length: 10_000 },
      (_, i) => createTask(() => sleep(1000 + i % 7)),
    );
    await sleep(0);
    for (const task of tasks) task.cancel();
    const ends = await gather(tasks, { returnExceptions: true });
    assert(ends.every(isCancelledError));
    assertEquals(allTasks().size, 1);
    assertEquals(now(), 0);
  }),
);

Deno.test("cancelling never ends the process, whatever floats", async () => {
  const { code, stdout, stderr } = await runProgram("floating_calls");
  assertEquals(stderr, "");
  assertEquals(stdout, "10 floating calls, still alive\n");
  assertEquals(code, 0);
});

Deno.test("J4 a failed task does not end the process, and is reported at its end", async () => {
  const { code, stdout, stderr } = await runProgram("failed_task");
  assertEquals(stdout, "still alive\n");
  assert(stderr.includes("failed and its error was never retrieved"), stderr);
  assert(stderr.includes("RangeError: too far"), stderr);
  assertEquals(code, 0);
});

Deno.test("a task that fails when its loop is closed is told of, and ends nothing", async () => {
  const { code, stdout, stderr } = await runProgram("late_failure");
  assertEquals(stdout, "still alive\n");
  assertEquals(
    stderr,
    "A task failed after its loop was closed: RangeError: too late\n",
  );
  assertEquals(code, 0);
});

Deno.test("another error of a floating call ends the process as ever", async () => {
  const { code, stdout, stderr } = await runProgram("floating_error");
  assertEquals(stdout, "cancelled\n");
  assert(stderr.includes("RangeError: nobody handles this"), stderr);
  assertEquals(code, 1);
});

Deno.test(
  "C17 a task that has read its signal and cancels itself is told at its next wait",
  virtual(async () => {
    const task = createTask(async () => {
      assertFalse(cancelSignal().aborted);
      currentTask()?.cancel();
      await sleep(0);
    });
    await assertRejects(() => task, CancelledError);
    assert(task.cancelled());
  }),
);

Deno.test("cancel() of a task that asked for its signal may come after the loop was closed", async () => {
  const loop = newEventLoop();
  loop.setExceptionHandler(() => {});
  let task: Task<unknown> | undefined;
  await loop.runUntilComplete(async () => {
    task = createTask(async () => {
      const { signal } = currentTask()!;
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    });
    await sleep(0);
  });
  loop.close();
  assert(task!.cancel());
  assert(task!.signal.aborted);
});

Deno.test("tasks that are each cancelled by the signal of the one before all are, however many", async () => {
  await run(async () => {
    const tasks = [createTask(() => sleep(60_000))];
    for (let i = 0; i < 3000; i++) {
      const { signal } = tasks.at(-1)!;
      tasks.push(createTask(() => sleep(60_000), { signal }));
    }
    await sleep(0);
    tasks[0]!.cancel("enough");
    assertEquals(tasks.map((task) => task.cancelling()), tasks.map(() => 1));
    await gather(tasks, { returnExceptions: true });
    assert(tasks.every((task) => task.cancelled()));
  });
});
