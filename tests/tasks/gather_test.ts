import {
  allTasks,
  CancelledError,
  createTask,
  currentTask,
  gather,
  getRunningLoop,
  InvalidStateError,
  isCancelledError,
  newEventLoop,
  sleep,
  timeout,
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
import { slowToEnd } from "../_support/slow_clean_up.ts";
import {
  collectReports,
  countingSignal,
  now,
  turns,
  virtual,
} from "../_support/virtual.ts";

async function failAfter(ms: number, message: string): Promise<never> {
  await sleep(ms);
  throw new RangeError(message);
}

Deno.test(
  "A1 results come in the order of the arguments",
  virtual(async () => {
    const results = await gather([
      () => sleep(20, "slow"),
      createTask(() => sleep(10, "quick")),
      Promise.resolve("there"),
    ]);
    assertEquals(results, ["slow", "quick", "there"]);
    assertEquals(now(), 20);
  }),
);

// asyncio knows coroutine objects; a function given twice is the same for us.
Deno.test(
  "A1 the same awaitable twice is one task, a function too",
  virtual(async () => {
    let calls = 0;
    const work = () => sleep(10, ++calls);
    const task = createTask(() => sleep(10, "task"));
    assertEquals(await gather([work, task, work, task]), [
      1,
      "task",
      1,
      "task",
    ]);
    assertEquals(calls, 1);
  }),
);

Deno.test(
  "A1 nothing to gather gives an empty list",
  virtual(async () => {
    assertEquals(await gather([]), []);
  }),
);

Deno.test(
  "A2 the first error is thrown at once, the others keep running",
  virtual(async () => {
    const sibling = createTask(() => sleep(20, "still ran"));
    const error = await assertRejects(
      () => gather([sibling, () => failAfter(10, "boom")]),
      RangeError,
      "boom",
    );
    assertInstanceOf(error, RangeError);
    assertEquals(now(), 10);
    assertFalse(sibling.done());
    assertEquals(sibling.cancelling(), 0);
    assertEquals(await sibling, "still ran");
  }),
);

Deno.test(
  "A3 cancelling gather() cancels all and waits for them",
  virtual(async () => {
    const ended: number[] = [];
    const work = (ms: number) => slowToEnd(ms, () => ended.push(ms));
    const gathered = gather([work(20), work(10)]);
    await sleep(0);
    assert(gathered.cancel("enough"));
    assertFalse(gathered.done());
    await assertRejects(() => gathered, CancelledError, "enough");
    assertEquals(ended, [10, 20]);
    assert(gathered.cancelled());
  }),
);

Deno.test(
  "A3 so does cancelling the task that awaits it",
  virtual(async () => {
    const children = [1, 2].map(() => createTask(() => sleep(1000)));
    const task = createTask(async () => await gather(children));
    await sleep(5);
    task.cancel("enough");
    await assertRejects(() => task, CancelledError, "enough");
    assert(children.every((child) => child.cancelled()));
  }),
);

Deno.test(
  "A4 one child cancelled: CancelledError, the others untouched, the gathering not cancelled",
  virtual(async () => {
    const [cancelled, sibling] = [1, 2].map(() => createTask(() => sleep(10)));
    const gathered = gather([cancelled!, sibling!]);
    await sleep(0);
    cancelled!.cancel();
    await assertRejects(() => gathered, CancelledError);
    assertFalse(gathered.cancelled());
    assertFalse(sibling!.done());
    await sibling;
  }),
);

Deno.test(
  "A5 returnExceptions puts errors and cancellations in their places",
  virtual(async () => {
    const cancelled = createTask(() => sleep(10));
    const gathered = gather(
      [() => sleep(5, "fine"), () => failAfter(20, "boom"), cancelled],
      { returnExceptions: true },
    );
    await sleep(0);
    cancelled.cancel();
    const [fine, boom, gone] = await gathered;
    assertEquals(fine, "fine");
    assertInstanceOf(boom, RangeError);
    assert(isCancelledError(gone));
    assertEquals(now(), 20);
  }),
);

Deno.test(
  "A6 with returnExceptions cancelling the gathering still throws",
  virtual(async () => {
    const children = [1, 2].map(() => createTask(() => sleep(10)));
    const gathered = gather(children, { returnExceptions: true });
    await sleep(0);
    gathered.cancel();
    await assertRejects(() => gathered, CancelledError);
    assert(gathered.cancelled());
    assert(children.every((child) => child.cancelled()));
  }),
);

Deno.test(
  "A7 errors after the first are dropped silently",
  virtual(async () => {
    await assertRejects(
      () => gather([() => failAfter(5, "one"), () => failAfter(10, "two")]),
      RangeError,
      "one",
    );
    await sleep(20);
  }),
);

// asyncio's users hate the silence, so debug mode tells.
Deno.test(
  "A7 in debug mode they are reported",
  virtual(async () => {
    const reports = collectReports();
    getRunningLoop().setDebug(true);
    await assertRejects(
      () => gather([() => failAfter(5, "one"), () => failAfter(10, "two")]),
      RangeError,
      "one",
    );
    await sleep(20);
    getRunningLoop().setDebug(false);
    assertEquals(reports.map(({ error }) => (error as Error).message), ["two"]);
  }),
);

Deno.test(
  "A8 cancel() on a gathering that is done returns false and cancels nothing",
  virtual(async () => {
    const slow = createTask(() => sleep(100, "slow"));
    const gathered = gather([slow, () => failAfter(5, "boom")]);
    await assertRejects(() => gathered, RangeError);
    assertFalse(gathered.cancel());
    await sleep(0);
    assertEquals(slow.cancelling(), 0);
    assertEquals(await slow, "slow");
  }),
);

Deno.test(
  "gather() of futures that are done comes out in a later step",
  virtual(async () => {
    const future = getRunningLoop().createFuture<number>();
    future.setResult(1);
    const gathered = gather([future, future]);
    assertFalse(gathered.done());
    assertEquals(await gathered, [1, 1]);
  }),
);

Deno.test(
  "gather() in a timeout is cancelled by it, and waited for",
  virtual(async () => {
    const tasks = [1, 2].map(() =>
      createTask(() => sleep(1000).finally(() => sleep(5)))
    );
    await assertRejects(() => timeout(10, () => gather(tasks)), TimeoutError);
    assert(tasks.every((task) => task.done()));
    assertEquals(now(), 15);
    assertEquals(currentTask()!.cancelling(), 0);
  }),
);

Deno.test(
  "gather() of gatherings nests",
  virtual(async () => {
    const results = await gather([
      gather([() => 1, () => sleep(1, 2)]),
      gather([() => "three"]),
    ]);
    assertEquals(results, [[1, 2], ["three"]]);
  }),
);

Deno.test(
  "gather() with a signal is cancelled by it, with the reason, and stops listening",
  virtual(async () => {
    const { signal, abort, listeners } = countingSignal();
    const gathered = gather([() => sleep(1000), () => sleep(1000)], { signal });
    await sleep(0);
    assertEquals(listeners(), 1);
    const reason = new Error("shutting down");
    abort(reason);
    const error = await assertRejects(() => gathered, CancelledError);
    assertStrictEquals(error.reason, reason);
    await turns(2);
    assertEquals(listeners(), 0);
    await gather([() => 1], { signal: countingSignal().signal });
  }),
);

Deno.test(
  "gather() with a signal stops listening when it succeeds",
  virtual(async () => {
    const { signal, listeners } = countingSignal();
    assertEquals(await gather([() => 1, () => sleep(5, 2)], { signal }), [
      1,
      2,
    ]);
    await turns(2);
    assertEquals(listeners(), 0);
  }),
);

Deno.test(
  "gather() with an aborted signal starts nothing",
  virtual(async () => {
    let ran = false;
    const gathered = gather([() => {
      ran = true;
    }], { signal: AbortSignal.abort("too late") });
    await assertRejects(() => gathered, CancelledError, "too late");
    assertFalse(ran);
  }),
);

Deno.test(
  "gather() refuses what is no list or holds what cannot be waited for, and starts nothing",
  virtual(async () => {
    let ran = false;
    const work = () => {
      ran = true;
    };
    const before = allTasks().size;
    assertThrows(
      () => gather(work as never),
      TypeError,
      "Cannot gather as 'aws' must be an array: received the function work",
    );
    assertThrows(
      () => gather([work, 42 as never]),
      TypeError,
      "must be a promise, a future or a function: received 42",
    );
    const other = getRunningLoop().createFuture();
    const cases: [unknown[], string][] = [
      [
        [work, work],
        "'aws' must be an array: received the function work; put all into one, as in gather([one, two])",
      ],
      [
        [other],
        "received a Future; put all into one, as in gather([one, two])",
      ],
      [
        [[work], work],
        "'options' must be an object: received the function work; put all that is waited for into the list, as in gather([one, two])",
      ],
      [[[work], other], "received a Future; put all that is waited for into"],
      [
        [new Set([work])],
        "received a Set; make one of it, as in gather([...aws])",
      ],
      [[3], "'aws' must be an array: received 3"],
      [[[work], 3], "Cannot gather as 'options' must be an object: received 3"],
    ];
    for (const [args, message] of cases) {
      assertThrows(
        () => (gather as (...args: unknown[]) => unknown)(...args),
        TypeError,
        message,
      );
    }
    await turns(2);
    assertFalse(ran);
    assertEquals(allTasks().size, before);
  }),
);

Deno.test(
  "gather() of 1,000 tasks gives 1,000 results",
  virtual(async () => {
    const numbers = Array.from({ length: 1000 }, (_, i) => i);
    const results = await gather(
      numbers.map((n) => () => sleep((n * 7919) % 101, n)),
    );
    assertEquals(results, numbers);
    assertEquals(now(), 100);
  }),
);

Deno.test("gather() refuses futures of several loops, and starts nothing", async () => {
  const [one, two] = [newEventLoop(), newEventLoop()];
  let hasStarted = false;
  assertThrows(
    () =>
      gather([
        () => {
          hasStarted = true;
        },
        one.createFuture(),
        two.createFuture(),
      ]),
    InvalidStateError,
    "Cannot gather futures as they must belong to one event loop: received <Future pending>",
  );
  await one.runUntilComplete(() => sleep(0));
  assertFalse(hasStarted);
  one.close();
  two.close();
});

Deno.test("gather() belongs to the loop of its futures, and starts functions there", async () => {
  const loop = newEventLoop();
  const future = loop.createFuture<number>();
  const all = gather([
    future,
    () => getRunningLoop() === loop,
    Promise.resolve(3),
  ]);
  loop.callSoon(() => future.setResult(1));
  assertEquals(await loop.runUntilComplete(all), [1, true, 3]);
  loop.close();
});
