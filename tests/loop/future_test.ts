import {
  CancelledError,
  createTask,
  ensureFuture,
  getEventLoop,
  getRunningLoop,
  InvalidStateError,
  isFuture,
  newEventLoop,
  run,
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
import { collectReports, turns, virtual } from "../_support/virtual.ts";

Deno.test("a pending future of a closed loop cannot be awaited, one that is done can", async () => {
  const loop = newEventLoop();
  const pending = loop.createFuture<number>();
  const done = loop.createFuture<number>();
  done.setResult(1);
  loop.close();
  const message = "Cannot await a future as the event loop is closed";
  await assertRejects(async () => await pending, InvalidStateError, message);
  pending.setResult(2);
  assertEquals([await done, await pending], [1, 2]);
});

Deno.test(
  "C18 Future.cancel() is immediate, done callbacks run later and in order",
  virtual(async () => {
    const future = getRunningLoop().createFuture<void>();
    const order: string[] = [];
    future.addDoneCallback(() => order.push("first"));
    future.addDoneCallback((done) => order.push(String(done.cancelled())));
    assert(future.cancel());
    assert(future.cancelled() && future.done());
    future.addDoneCallback(() => order.push("added after it was done"));
    assertEquals(order, []);
    await sleep(0);
    assertEquals(order, ["first", "true", "added after it was done"]);
  }),
);

Deno.test(
  "C19 result() and exception() of a pending future throw InvalidStateError",
  virtual(() => {
    const future = getRunningLoop().createFuture<number>();
    assertThrows(() => future.result(), InvalidStateError, "is not done");
    assertThrows(() => future.exception(), InvalidStateError, "is not done");
  }),
);

Deno.test(
  "C19 result() and exception() of a cancelled future throw CancelledError",
  virtual(() => {
    const future = getRunningLoop().createFuture<number>();
    future.cancel("too late");
    assertThrows(() => future.result(), CancelledError, "too late");
    assertThrows(() => future.exception(), CancelledError, "too late");
  }),
);

Deno.test(
  "C19 a future that is cancelled while nobody waits has one error, of who cancelled it",
  virtual(async () => {
    const future = getEventLoop().createFuture<void>();
    const reason = { code: 1 };
    const router = createTask(() => future.cancel(reason), { name: "router" });
    await router;
    const error = await assertRejects(async () => await future, CancelledError);
    assertEquals([error.reason, error.by], [reason, "router"]);
    assertStrictEquals(assertThrows(() => future.result()), error);
    assertStrictEquals(assertThrows(() => future.exception()), error);
  }),
);

Deno.test(
  "C19 a future cancelled with an error while nobody waits throws that error",
  virtual(async () => {
    const future = getEventLoop().createFuture<void>();
    const error = new CancelledError("off");
    future.cancel(error);
    const thrown = await assertRejects(async () => await future);
    assertStrictEquals(thrown, error);
  }),
);

Deno.test(
  "C19 a future is settled once, and cancel() afterwards returns false",
  virtual(() => {
    const future = getRunningLoop().createFuture<number>();
    future.setResult(1);
    assertThrows(() => future.setResult(2), InvalidStateError, "already done");
    assertThrows(
      () => future.setException(new Error()),
      InvalidStateError,
      "<Future finished 1>",
    );
    assertFalse(future.cancel());
    assertEquals(future.result(), 1);
    assertEquals(future.exception(), undefined);
  }),
);

Deno.test(
  "C19 a failed future throws its error from result() and gives it from exception()",
  virtual(() => {
    const future = getRunningLoop().createFuture<number>();
    const error = new RangeError("too far");
    future.setException(error);
    assertThrows(() => future.result(), RangeError, "too far");
    assertStrictEquals(future.exception(), error);
    assertFalse(future.cancelled());
  }),
);

Deno.test(
  "await of a future gives its result to all who wait",
  virtual(async () => {
    const future = getRunningLoop().createFuture<string>();
    const tasks = [1, 2].map((n) => createTask(async () => n + await future));
    await sleep(0);
    future.setResult("!");
    assertEquals([await tasks[0], await tasks[1], await future], [
      "1!",
      "2!",
      "!",
    ]);
  }),
);

Deno.test(
  "await of a failed future throws its very error",
  virtual(async () => {
    const error = new Error("no route");
    const future = getRunningLoop().createFuture<void>();
    const waiting = createTask(async () => await future);
    await sleep(0);
    future.setException(error);
    assertStrictEquals(await assertRejects(() => waiting), error);
    assertStrictEquals(await assertRejects(() => future), error);
  }),
);

Deno.test(
  "then(), catch() and finally() chain as those of a promise",
  virtual(async () => {
    const loop = getRunningLoop();
    const good = loop.createFuture<number>();
    const bad = loop.createFuture<number>();
    const calls: string[] = [];
    loop.callSoon(() => good.setResult(1));
    loop.callSoon(() => bad.setException(new Error("no")));
    assertEquals(await good.then((n) => n + 1), 2);
    assertEquals(await good.then(null).then((n) => n), 1);
    assertEquals(await bad.catch((error) => String(error)), "Error: no");
    assertEquals(await good.finally(() => calls.push("finally")), 1);
    await assertRejects(() => bad.finally(() => calls.push("again")), Error);
    assertEquals(calls, ["finally", "again"]);
  }),
);

Deno.test(
  "Promise.all() and Promise.race() take futures",
  virtual(async () => {
    const loop = getRunningLoop();
    const [one, two] = [loop.createFuture<1>(), loop.createFuture<2>()];
    loop.callLater(1, () => one.setResult(1));
    loop.callLater(2, () => two.setResult(2));
    assertEquals(await Promise.race([one, two]), 1);
    assertEquals(await Promise.all([one, two]), [1, 2]);
  }),
);

Deno.test(
  "cancelling a task that awaits a future cancels the future",
  virtual(async () => {
    const future = getRunningLoop().createFuture<void>();
    const task = createTask(async () => await future);
    await sleep(0);
    task.cancel("enough");
    await assertRejects(() => task, CancelledError, "enough");
    assert(future.cancelled());
  }),
);

Deno.test(
  "removeDoneCallback() takes each occurrence back and counts them",
  virtual(async () => {
    const future = getRunningLoop().createFuture<void>();
    const calls: string[] = [];
    const callback = () => calls.push("removed");
    future.addDoneCallback(callback);
    future.addDoneCallback(() => calls.push("kept"));
    future.addDoneCallback(callback);
    assertEquals(future.removeDoneCallback(callback), 2);
    assertEquals(future.removeDoneCallback(callback), 0);
    future.setResult();
    await sleep(0);
    assertEquals(calls, ["kept"]);
  }),
);

Deno.test(
  "removeDoneCallback() comes too late for a future that is done",
  virtual(async () => {
    const future = getRunningLoop().createFuture<void>();
    let called = false;
    const callback = () => {
      called = true;
    };
    future.addDoneCallback(callback);
    future.setResult();
    assertEquals(future.removeDoneCallback(callback), 0);
    await turns(2);
    assert(called);
    assertEquals(future.removeDoneCallback(callback), 0);
  }),
);

Deno.test(
  "an error in a done callback goes to the exception handler, the others run",
  virtual(async () => {
    const reports = collectReports();
    const future = getRunningLoop().createFuture<void>();
    let reached = false;
    future.addDoneCallback(function broken() {
      throw new Error("in the callback");
    });
    future.addDoneCallback(() => {
      reached = true;
    });
    future.setResult();
    await turns(2);
    assert(reached);
    assertEquals(reports.map((report) => report.message), [
      "Exception in broken",
    ]);
  }),
);

Deno.test(
  "addDoneCallback() refuses what is not a function",
  virtual(() => {
    const future = getRunningLoop().createFuture<void>();
    assertThrows(
      () => future.addDoneCallback("callback" as never),
      TypeError,
      `'callback' must be a function: received "callback"`,
    );
  }),
);

Deno.test("a future of another loop cannot be awaited", async () => {
  const other = newEventLoop();
  const future = other.createFuture<number>();
  await run(async () => {
    const error = await assertRejects(
      async () => await future,
      InvalidStateError,
      "belongs to another event loop",
    );
    assertEquals(error.message.includes("<Future pending>"), true);
  });
  assertFalse(future.done());
  other.close();
});

Deno.test("runUntilComplete() refuses a future of another loop", async () => {
  const [loop, other] = [newEventLoop(), newEventLoop()];
  const future = other.createFuture<number>();
  await assertRejects(
    () => loop.runUntilComplete(future),
    InvalidStateError,
    "belongs to another event loop: received <Future pending>",
  );
  assertFalse(loop.isRunning());
  loop.close();
  other.close();
});

Deno.test(
  "ensureFuture() gives a future back as it is and starts a function",
  virtual(async () => {
    const future = getRunningLoop().createFuture<number>();
    assertStrictEquals(ensureFuture(future), future);
    future.cancel();
    assertEquals(await ensureFuture(() => 1), 1);
  }),
);

Deno.test(
  "ensureFuture() makes the wait for a promise cancellable, the promise goes on",
  virtual(async () => {
    let finish = (_value: string) => {};
    const promise = new Promise<string>((resolve) => {
      finish = resolve;
    });
    await assertRejects(
      () => timeout(10, () => ensureFuture(promise)),
      TimeoutError,
    );
    finish("still here");
    assertEquals(await promise, "still here");
    assertEquals(await ensureFuture(promise), "still here");
  }),
);

Deno.test(
  "ensureFuture() carries over how a promise fails or is cancelled",
  virtual(async () => {
    const failed = ensureFuture(Promise.reject(new RangeError("far")));
    await assertRejects(() => failed, RangeError, "far");
    const cancelled = ensureFuture(Promise.reject(new CancelledError("off")));
    await assertRejects(() => cancelled, CancelledError, "off");
    assert(cancelled.cancelled());
    assertFalse(failed.cancelled());
  }),
);

Deno.test(
  "ensureFuture() refuses what cannot be waited for",
  virtual(() => {
    assertThrows(
      () => ensureFuture(42 as never),
      TypeError,
      "must be a promise, a future or a function: received 42",
    );
  }),
);

Deno.test("isFuture() knows futures and tasks, of other copies as well", () => {
  const future = getEventLoop().createFuture<void>();
  // Another copy of this package has classes of its own and the same mark.
  const foreign = { [Symbol.for("@asyncio/asyncio/Future")]: true };
  assert(isFuture(future) && isFuture(foreign));
  assertFalse(isFuture(Promise.resolve()));
  assertFalse(isFuture(null));
});

Deno.test(
  "toString() of a future tells its state",
  virtual(() => {
    const loop = getRunningLoop();
    const [one, two, three] = [1, 2, 3].map(() => loop.createFuture<string>());
    assertEquals(String(one), "<Future pending>");
    one!.setResult("ok");
    two!.setException(new RangeError("far"));
    three!.cancel();
    assertEquals([one, two, three].map(String), [
      `<Future finished "ok">`,
      "<Future failed RangeError: far>",
      "<Future cancelled>",
    ]);
    assertEquals(two!.exception() instanceof RangeError, true);
    assertStrictEquals(one!.getLoop(), loop);
  }),
);

Deno.test("an error that no one retrieved is reported as the loop closes", async () => {
  const loop = newEventLoop();
  const messages: string[] = [];
  loop.setExceptionHandler(({ message }) => messages.push(message));
  const [lost, asked, awaited] = [1, 2, 3].map(() => loop.createFuture());
  for (const each of [lost, asked, awaited]) each!.setException(new Error("x"));
  asked!.exception();
  await loop.runUntilComplete(async () => {
    await assertRejects(async () => await awaited, Error, "x");
  });
  loop.close();
  assertEquals(messages, [
    "<Future failed Error: x> failed and its error was never retrieved",
  ]);
});
