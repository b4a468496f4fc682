import {
  allTasks,
  type AsCompleted,
  asCompleted,
  CancelledError,
  createTask,
  currentTask,
  type Future,
  getRunningLoop,
  newEventLoop,
  run,
  sleep,
  timeout,
  TimeoutError,
  VirtualClock,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { countingSignal, now, turns, virtual } from "../_support/virtual.ts";

/**
 * What `for await` gives. TypeScript takes it to unwrap whatever has a `then`
 * where it has met the same type before, which it does not do at run time.
 */
function futures<T>(order: AsCompleted<T>): AsyncIterable<Done<T>> {
  return order as AsyncIterable<unknown> as AsyncIterable<Done<T>>;
}

type Done<T> = Omit<Future<T>, "then">;

Deno.test(
  "B5 for await gives the very futures that were passed in, done, in their order",
  virtual(async () => {
    const tasks = [30, 10, 20].map((ms) => createTask(() => sleep(ms, ms)));
    const order: number[] = [];
    for await (const task of futures(asCompleted(tasks))) {
      assert(tasks.includes(task as typeof tasks[0]) && task.done());
      order.push(task.result());
      assertEquals(now(), task.result());
    }
    assertEquals(order, [10, 20, 30]);
  }),
);

Deno.test(
  "B5 functions and promises come as futures of their own",
  virtual(async () => {
    const results: unknown[] = [];
    const work = () => sleep(10, "function");
    for await (
      const future of asCompleted<string>([work, Promise.resolve("promise")])
    ) results.push(future.result());
    assertEquals(results, ["promise", "function"]);
  }),
);

Deno.test(
  "a plain for gives promises for the places of the order",
  virtual(async () => {
    const results: number[] = [];
    const works = [30, 10, 20].map((ms) => () => sleep(ms, ms));
    for (const next of asCompleted(works)) results.push(await next);
    assertEquals(results, [10, 20, 30]);
    const later = [...asCompleted(works)];
    assertEquals(await Promise.all(later), [10, 20, 30]);
  }),
);

Deno.test(
  "a failed one throws where its promise is awaited, and not from for await",
  virtual(async () => {
    const bad = createTask(() => Promise.reject(new RangeError("boom")));
    const good = createTask(() => sleep(10, "good"));
    const ends: string[] = [];
    for (const next of asCompleted<string>([bad, good])) {
      ends.push(await next.catch((error) => error.message));
    }
    assertEquals(ends, ["boom", "good"]);
    for await (const task of futures(asCompleted<string>([bad]))) {
      assertStrictEquals(task, bad);
      assertThrows(() => task.result(), RangeError, "boom");
    }
  }),
);

Deno.test(
  "B6 the timeout throws and cancels nothing",
  virtual(async () => {
    const quick = createTask(() => sleep(5, "quick"));
    const slow = createTask(() => sleep(50, "slow"));
    const seen: unknown[] = [];
    await assertRejects(async () => {
      for await (
        const task of futures(asCompleted([quick, slow], { timeout: 10 }))
      ) {
        seen.push(task.result());
      }
    }, TimeoutError);
    assertEquals(seen, ["quick"]);
    assertEquals(now(), 10);
    assertEquals(slow.cancelling(), 0);
    assertEquals(await slow, "slow");
  }),
);

Deno.test(
  "B6 a time below 0 is 0, and the error says how long it was",
  virtual(async () => {
    for (const [timeout, text] of [[-5, "0"], [2.5, "2.5"]] as const) {
      const done = getRunningLoop().createFuture<string>();
      done.setResult("done");
      const slow = createTask(() => sleep(50, "slow"));
      const [first, second] = asCompleted([done, slow], { timeout });
      assertEquals(await first, "done");
      await assertRejects(
        () => second!,
        TimeoutError,
        `The time is over after ${text} ms`,
      );
      await slow;
    }
  }),
);

Deno.test(
  "B6 with a plain for every promise that is late rejects",
  virtual(async () => {
    const tasks = [5, 50, 60].map((ms) => createTask(() => sleep(ms, ms)));
    const promises = [...asCompleted(tasks, { timeout: 10 })];
    const ends = await Promise.allSettled(promises);
    assertEquals(
      ends.map((end) => end.status === "fulfilled" || end.reason.name),
      [true, "TimeoutError", "TimeoutError"],
    );
    await Promise.all(tasks);
  }),
);

Deno.test(
  "B6 what was done in time is still given after it",
  virtual(async () => {
    const tasks = [5, 6, 50].map((ms) => createTask(() => sleep(ms, ms)));
    const seen: number[] = [];
    await assertRejects(async () => {
      for await (const task of futures(asCompleted(tasks, { timeout: 10 }))) {
        seen.push(task.result());
        await sleep(20);
      }
    }, TimeoutError);
    assertEquals(seen, [5, 6]);
    await tasks[2];
  }),
);

Deno.test(
  "leaving the loop early leaves the rest alone, and no timer",
  virtual(async () => {
    const tasks = [5, 50].map((ms) => createTask(() => sleep(ms, ms)));
    for await (const task of futures(asCompleted(tasks, { timeout: 1000 }))) {
      assertEquals(task.result(), 5);
      break;
    }
    assertFalse(tasks[1]!.done());
    assertEquals(await tasks[1], 50);
  }),
);

Deno.test(
  "a loop that is cancelled in the step in which a future is done leaves it to the next",
  virtual(async () => {
    const first = createTask(() => sleep(10, "first"));
    const order = asCompleted([first, createTask(() => sleep(20, "second"))]);
    const loop = createTask(async () => {
      for await (const _ of futures(order)) throw new Error("it was cancelled");
    });
    first.addDoneCallback(() => loop.cancel());
    await assertRejects(() => loop, CancelledError);
    const results: string[] = [];
    for await (const future of futures(order)) results.push(future.result());
    assertEquals(results, ["first", "second"]);
  }),
);

Deno.test(
  "a loop that was left is gone on with where it was",
  virtual(async () => {
    const works = () => [10, 20, 30, 40].map((ms) => () => sleep(ms, ms));
    const order = asCompleted(works());
    const seen: number[] = [];
    for await (const future of futures(order)) {
      if (seen.push(future.result()) === 2) break;
    }
    for await (const future of futures(order)) seen.push(future.result());
    assertEquals(seen, [10, 20, 30, 40]);

    const places = asCompleted(works());
    for (const place of places) if (seen.push(await place) === 6) break;
    for await (const future of futures(places)) {
      seen.push(future.result());
      break;
    }
    for (const place of places) seen.push(await place);
    assertEquals(seen.slice(4), [10, 20, 30, 40]);
    assertEquals([...places], []);
  }),
);

Deno.test(
  "a loop that is gone on with after its time has its errors then",
  virtual(async () => {
    const tasks = [5, 50, 60].map((ms) => createTask(() => sleep(ms, ms)));
    const order = asCompleted(tasks, { timeout: 20 });
    for await (const _ of futures(order)) break;
    await sleep(10);
    const late: number[] = [];
    for (let i = 0; i < 2; i++) {
      await assertRejects(async () => {
        for await (const _ of futures(order));
      }, TimeoutError);
      late.push(now());
    }
    assertEquals(late, [20, 20]);
    for await (const _ of futures(order)) assert(false);
    await Promise.all(tasks);
  }),
);

Deno.test(
  "a place that fails before it is awaited waits for who asks",
  virtual(async () => {
    const bad = () => Promise.reject(new RangeError("boom"));
    const [place] = asCompleted([bad]);
    await sleep(10);
    await assertRejects(() => place!, RangeError, "boom");
    await assertRejects(async () => await place, RangeError, "boom");
    await assertRejects(() => Promise.all([place]), RangeError, "boom");
    let asked = "";
    await place!.catch((error) => asked = error.message).finally(() => {
      asked += "!";
    });
    assertEquals(asked, "boom!");
  }),
);

Deno.test("the error of a place nobody asks is reported by its future", async () => {
  const reports: string[] = [];
  const loop = newEventLoop({ clock: new VirtualClock() });
  loop.setExceptionHandler(({ message, error }) => {
    reports.push(`${message}: ${error}`);
  });
  await run(async () => {
    const bad = createTask(() => Promise.reject(new RangeError("boom")), {
      name: "bad",
    });
    for (const _ of asCompleted([bad])) await sleep(10);
  }, { loop });
  assertEquals(reports, [
    '<Task failed RangeError: boom name="bad"> failed and its error was never retrieved: RangeError: boom',
  ]);
});

Deno.test(
  "a place whose wait is cancelled is given out once more",
  virtual(async () => {
    const order = asCompleted([() => sleep(50, "done")]);
    const reader = createTask(async () => {
      for (const place of order) await place;
    });
    await sleep(5);
    reader.cancel();
    await assertRejects(() => reader, CancelledError);
    const seen: string[] = [];
    for (const place of order) seen.push(await place);
    assertEquals(seen, ["done"]);
  }),
);

Deno.test(
  "cancelling the one who iterates leaves the tasks alone",
  virtual(async () => {
    const task = createTask(() => sleep(50, "done"));
    const reader = createTask(async () => {
      for await (const _ of futures(asCompleted([task])));
    });
    await sleep(5);
    reader.cancel();
    await assertRejects(() => reader, CancelledError);
    assertEquals(task.cancelling(), 0);
    assertEquals(await task, "done");
  }),
);

Deno.test(
  "a timeout around one step does not lose the future that comes next",
  virtual(async () => {
    const tasks = [20, 30].map((ms) => createTask(() => sleep(ms, ms)));
    const iterator = asCompleted(tasks)[Symbol.asyncIterator]();
    await assertRejects(
      () => timeout(10, () => iterator.next()),
      TimeoutError,
    );
    const seen: number[] = [];
    for (let next = await iterator.next(); !next.done;) {
      seen.push(next.value.result());
      next = await iterator.next();
    }
    assertEquals(seen, [20, 30]);
  }),
);

Deno.test(
  "nothing to wait for ends at once, the same future twice comes once",
  virtual(async () => {
    for await (const _ of futures(asCompleted([]))) assert(false);
    assertEquals([...asCompleted([], { timeout: 5 })], []);
    const task = createTask(() => 1);
    assertEquals([...asCompleted([task, task])].length, 1);
    await task;
  }),
);

Deno.test(
  "iterating checks for a remembered cancellation first",
  virtual(async () => {
    const done = getRunningLoop().createFuture<number>();
    done.setResult(1);
    const reader = createTask(async () => {
      const iterator = asCompleted([done])[Symbol.asyncIterator]();
      await sleep(1);
      currentTask()!.cancel();
      await iterator.next();
    });
    await assertRejects(() => reader, CancelledError);
  }),
);

Deno.test(
  "asCompleted() refuses bad timeouts and bad awaitables, and starts nothing",
  virtual(async () => {
    let ran = false;
    const work = () => {
      ran = true;
    };
    const before = allTasks().size;
    assertThrows(
      () => asCompleted(work as never),
      TypeError,
      "received the function work; put all into one, as in asCompleted([one, two])",
    );
    assertThrows(
      () => asCompleted([work], createTask(() => 1) as never),
      TypeError,
      "received a Task; put all that is waited for into the list, as in asCompleted([one, two])",
    );
    assertThrows(
      () => asCompleted([work], { timeout: NaN }),
      RangeError,
      "'timeout' must not be NaN",
    );
    assertThrows(
      () => asCompleted([work, "x" as never]),
      TypeError,
      `must be a promise, a future or a function: received "x"`,
    );
    await turns(2);
    assertFalse(ran);
    assertEquals(allTasks().size, before);
  }),
);

Deno.test(
  "asCompleted() that was left goes on where it was, either way",
  virtual(async () => {
    const work = () => [1, 2, 3, 4].map((n) => () => sleep(n, n));
    const seen: number[] = [];
    const byFuture = asCompleted(work());
    for await (const future of byFuture) if (future.result() === 2) break;
    // The third is done while nobody asks.
    await sleep(2);
    for await (const future of byFuture) seen.push(future.result());
    const byPromise = asCompleted(work());
    for (const each of byPromise) if (await each === 2) break;
    await sleep(2);
    for (const each of byPromise) seen.push(await each);
    assertEquals(seen, [3, 4, 3, 4]);
  }),
);

Deno.test(
  "asCompleted() that rests as a future is done gives it once",
  virtual(async () => {
    const future = getRunningLoop().createFuture<string>();
    const order = asCompleted([future, () => sleep(5, "slow")]);
    const iterator = order[Symbol.asyncIterator]();
    const step = createTask(() => iterator.next());
    await sleep(0);
    future.setResult("quick");
    step.cancel();
    await step.catch(() => {});
    const seen: unknown[] = [];
    for await (const each of order) seen.push(each.result());
    assertEquals(seen, ["quick", "slow"]);
  }),
);

Deno.test(
  "an aborted signal ends the waits of asCompleted() with its reason, and cancels nothing",
  virtual(async () => {
    const { signal, abort, listeners } = countingSignal();
    const reason = new Error("gone");
    const tasks = [10, 20].map((ms) => createTask(() => sleep(ms, ms)));
    const order = asCompleted(tasks, { signal });
    const results: number[] = [];
    const loop = createTask(async () => {
      for await (const task of futures(order)) results.push(task.result());
    });
    await sleep(15);
    abort(reason);
    assertStrictEquals(await assertRejects(() => loop), reason);
    const again = [...order];
    assertEquals(again.length, 1);
    assertStrictEquals(await assertRejects(() => again[0]!), reason);
    assertEquals(await tasks[1], 20);
    assertEquals(results, [10]);
    assertEquals(listeners(), 0);
  }),
);

Deno.test(
  "asCompleted() starts nothing with a signal that is aborted",
  virtual(() => {
    const before = allTasks().size;
    assertThrows(
      () => asCompleted([() => sleep(1)], { signal: AbortSignal.abort() }),
      DOMException,
    );
    assertEquals(allTasks().size, before);
  }),
);
