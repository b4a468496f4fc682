import {
  allTasks,
  CancelledError,
  createTask,
  currentTask,
  ensureFuture,
  getRunningLoop,
  newEventLoop,
  run,
  sleep,
  wait,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { countingSignal, now, turns, virtual } from "../_support/virtual.ts";

function failingTask(ms: number) {
  return createTask(async () => {
    await sleep(ms);
    throw new RangeError("boom");
  });
}

Deno.test(
  "B1 wait() throws none of the errors and cancels nothing",
  virtual(async () => {
    const [good, bad] = [createTask(() => sleep(20)), failingTask(10)];
    const { done, pending } = await wait<unknown>([good, bad]);
    assertEquals(done, new Set<unknown>([good, bad]));
    assertEquals(pending.size, 0);
    await assertRejects(() => bad, RangeError);
  }),
);

Deno.test(
  "B1 with a timeout it returns what is done, throws no TimeoutError and cancels nothing",
  virtual(async () => {
    const quick = createTask(() => sleep(5));
    const slow = createTask(() => sleep(50));
    const { done, pending } = await wait([quick, slow], { timeout: 10 });
    assertEquals(done, new Set([quick]));
    assertEquals(pending, new Set([slow]));
    assertEquals(slow.cancelling(), 0);
    assertEquals(now(), 10);
    await slow;
  }),
);

Deno.test(
  "B1 with a timeout of 0 it has a look in the next iteration",
  virtual(async () => {
    const task = createTask(() => sleep(50));
    const { done, pending } = await wait([task], { timeout: 0 });
    assertEquals([done.size, pending.size], [0, 1]);
    assertEquals(now(), 0);
    await task;
  }),
);

Deno.test(
  "B2 FIRST_EXCEPTION returns with the first error, and ignores cancelled ones",
  virtual(async () => {
    const cancelled = createTask(() => sleep(1000));
    const bad = failingTask(20);
    const slow = createTask(() => sleep(100));
    const first = createTask(() =>
      wait<unknown>([cancelled, bad, slow], { returnWhen: "FIRST_EXCEPTION" })
    );
    await sleep(5);
    cancelled.cancel();
    const { done, pending } = await first;
    assertEquals(done, new Set<unknown>([cancelled, bad]));
    assertEquals(pending, new Set<unknown>([slow]));
    assertEquals(now(), 20);
    await assertRejects(() => bad, RangeError);
    await slow;
  }),
);

Deno.test(
  "FIRST_EXCEPTION without an error is ALL_COMPLETED",
  virtual(async () => {
    const tasks = [5, 10].map((ms) => createTask(() => sleep(ms)));
    const { done } = await wait(tasks, { returnWhen: "FIRST_EXCEPTION" });
    assertEquals(done, new Set(tasks));
    assertEquals(now(), 10);
  }),
);

Deno.test(
  "FIRST_COMPLETED returns with the first that is done",
  virtual(async () => {
    const [slow, quick] = [50, 5].map((ms) => createTask(() => sleep(ms)));
    const options = { returnWhen: "FIRST_COMPLETED" } as const;
    const { done, pending } = await wait([slow!, quick!], options);
    assertEquals(done, new Set([quick!]));
    assertEquals(pending, new Set([slow!]));
    const again = await wait([slow!, quick!], options);
    assertEquals(again.done, new Set([quick!]));
    assertEquals(now(), 5);
    await slow;
  }),
);

Deno.test(
  "B3 cancelling the one who waits leaves the tasks alone",
  virtual(async () => {
    const task = createTask(() => sleep(20, "done"));
    const waiter = createTask(() => wait([task], { timeout: 1000 }));
    await sleep(5);
    waiter.cancel("not needed");
    await assertRejects(() => waiter, CancelledError, "not needed");
    assertEquals(task.cancelling(), 0);
    assertEquals(await task, "done");
  }),
);

Deno.test(
  "B4 an empty set is refused",
  virtual(async () => {
    await assertRejects(
      () => wait([]),
      RangeError,
      "Cannot wait as 'aws' must hold at least one awaitable: received none",
    );
  }),
);

// asyncio refuses coroutine objects, which would run unseen. A function is
// started as a task here, which comes back in the sets.
Deno.test(
  "B4 functions and promises are accepted, each as a future",
  virtual(async () => {
    const promise = Promise.resolve("promise");
    const work = () => sleep(5, "function");
    const { done } = await wait<string>([work, promise, work]);
    assertEquals(
      [...done].map((future) => future.result()).sort(),
      ["function", "promise"],
    );
  }),
);

Deno.test(
  "wait() takes any iterable, and the same future twice as one",
  virtual(async () => {
    const task = createTask(() => sleep(5));
    const { done } = await wait(new Set([task]));
    assertEquals(done.size, 1);
    assertEquals((await wait([task, task])).done.size, 1);
  }),
);

Deno.test(
  "wait() that was cancelled before it began waits for nothing",
  virtual(async () => {
    const task = createTask(() => sleep(50));
    const waiter = createTask(async () => {
      currentTask()!.cancel();
      await wait([task]);
    });
    await assertRejects(() => waiter, CancelledError);
    assertFalse(task.done());
    await task;
  }),
);

Deno.test(
  "wait() does not count as asking for the error of a task",
  async () => {
    const messages: string[] = [];
    const loop = newEventLoop();
    loop.setExceptionHandler(({ message }) => messages.push(message));
    await run(async () => {
      await wait([failingTask(0)]);
    }, { loop });
    assertEquals(messages.length, 1);
    assert(messages[0]!.includes("its error was never retrieved"));
  },
);

Deno.test(
  "wait() refuses bad options and bad awaitables, and starts nothing",
  virtual(async () => {
    let ran = false;
    const work = () => {
      ran = true;
    };
    const before = allTasks().size;
    await assertRejects(
      () => wait([work], { timeout: NaN }),
      RangeError,
      "Cannot wait as 'timeout' must not be NaN",
    );
    const refusals: [unknown[], string][] = [
      [
        [work],
        "Cannot wait as 'aws' must be an iterable of awaitables: received the function work; put all into one, as in wait([one, two])",
      ],
      [
        [[work], work],
        "'options' must be an object: received the function work; put all that is waited for into the list, as in wait([one, two])",
      ],
      [[Promise.resolve()], "received a Promise; put all into one"],
      [
        [Object.defineProperty(() => {}, "name", { value: "a\nb\x1b[2J" })],
        String.raw`received the function a\nb\u001b[2J; put all into one`,
      ],
      [[3], "must be an iterable of awaitables: received 3"],
      [["ab"], `must be an iterable of awaitables: received "ab"`],
      [[null], "must be an iterable of awaitables: received null"],
    ];
    for (const [args, message] of refusals) {
      await assertRejects(
        () => (wait as (...args: unknown[]) => Promise<unknown>)(...args),
        TypeError,
        message,
      );
    }
    await assertRejects(
      () => wait([work], { returnWhen: "SOON" as never }),
      RangeError,
      `'returnWhen' must be one of FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED: received "SOON"`,
    );
    await assertRejects(
      () => wait([work, 42 as never]),
      TypeError,
      "must be a promise, a future or a function: received 42",
    );
    await turns(2);
    assertFalse(ran);
    assertEquals(allTasks().size, before);
  }),
);

Deno.test(
  "wait() leaves no timer and no callback behind",
  virtual(async () => {
    const never = ensureFuture(new Promise(() => {}));
    const task = createTask(() => sleep(5));
    for (let i = 0; i < 100; i++) {
      await wait<unknown>([never, task], {
        timeout: 1000,
        returnWhen: "FIRST_COMPLETED",
      });
    }
    assertEquals(now(), 5);
    never.cancel();
  }),
);

Deno.test(
  "wait() that nobody awaits does not take a remembered cancellation away",
  virtual(async () => {
    const future = getRunningLoop().createFuture();
    const task = createTask(async () => {
      currentTask()!.cancel();
      const ignored = assertRejects(() => wait([future]), CancelledError);
      await assertRejects(() => sleep(1000), CancelledError);
      await ignored;
      await sleep(1);
      return "went on";
    });
    assertEquals(await task, "went on");
    assertEquals(now(), 1);
  }),
);

Deno.test(
  "an aborted signal ends wait() with its reason, and cancels nothing",
  virtual(async () => {
    const { signal, abort, listeners } = countingSignal();
    const reason = new Error("gone");
    const works = [5, 20].map((ms) => createTask(() => sleep(ms, ms)));
    const waiting = createTask(() => wait(works, { timeout: 50, signal }));
    await sleep(10);
    abort(reason);
    assertStrictEquals(await assertRejects(() => waiting), reason);
    assertFalse(waiting.cancelled());
    assertEquals(listeners(), 0);
    assertEquals(await works[1], 20);
    assertEquals(getRunningLoop().time(), 20);
  }),
);

Deno.test(
  "wait() leaves nothing on a signal that is not aborted",
  virtual(async () => {
    const { signal, abort, listeners } = countingSignal();
    const { done } = await wait([() => sleep(5)], { signal });
    assertEquals(done.size, 1);
    assertEquals(listeners(), 0);
    abort();
    await sleep(1);
  }),
);

Deno.test(
  "wait() starts nothing with a signal that is aborted",
  virtual(async () => {
    const reason = new Error("gone");
    const before = allTasks().size;
    const error = await assertRejects(() =>
      wait([() => sleep(1)], { signal: AbortSignal.abort(reason) })
    );
    assertStrictEquals(error, reason);
    assertEquals(allTasks().size, before);
  }),
);

Deno.test(
  "a cancellation of the task comes out of wait() as one, with a signal too",
  virtual(async () => {
    const { signal, listeners } = countingSignal();
    const work = createTask(() => sleep(20));
    const waiting = createTask(() => wait([work], { signal }));
    await sleep(1);
    waiting.cancel();
    await assertRejects(() => waiting, CancelledError);
    assertEquals(listeners(), 0);
    await work;
  }),
);
