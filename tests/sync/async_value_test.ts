import {
  AsyncValue,
  CancelledError,
  createTask,
  InvalidStateError,
  moveOnAfter,
  run,
  sleep,
  type Task,
  timeout,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { outcome, outcomes, shown } from "../_support/outcome.ts";
import { turns, virtual } from "../_support/virtual.ts";

/** A task that collects the changes of a value. */
function watcher<T>(value: AsyncValue<T>): [seen: T[], task: Task<void>] {
  const seen: T[] = [];
  const task = createTask(async () => {
    for await (const each of value) seen.push(each);
  });
  return [seen, task];
}

Deno.test(
  "waitFor() gives the value at once if it is as wanted",
  virtual(async () => {
    const value = new AsyncValue("ready");
    assertEquals(await value.waitFor((each) => each === "ready"), "ready");
    assertEquals(value.value, "ready");
  }),
);

Deno.test(
  "waitFor() waits until the value is as wanted",
  virtual(async () => {
    const value = new AsyncValue(0);
    const task = createTask(() => value.waitFor((each) => each >= 3));
    for (const each of [1, 2]) {
      value.value = each;
      await turns(2);
    }
    assertFalse(task.done());
    value.value = 3;
    assertEquals(await task, 3);
    assertEquals(value.statistics(), { waiters: 0, watchers: 0 });
  }),
);

Deno.test(
  "waitFor() gives the value at which it held, also where it has changed since",
  virtual(async () => {
    const value = new AsyncValue(0);
    const waits = [1, 2, 3].map((wanted) =>
      createTask(() => value.waitFor((each) => each === wanted))
    );
    await turns(1);
    for (const each of [1, 2, 3, 0]) value.value = each;
    assertEquals(await outcomes(waits), [1, 2, 3]);
    assertEquals(value.value, 0);
  }),
);

Deno.test(
  "those that wait go on in the order in which they came",
  virtual(async () => {
    const value = new AsyncValue(0);
    const log: string[] = [];
    for (const name of "abc") {
      createTask(async () => log.push(name + await value.waitFor(Boolean)));
    }
    await turns(1);
    value.value = 7;
    await turns(2);
    assertEquals(log, ["a7", "b7", "c7"]);
  }),
);

Deno.test(
  "the same value once more is no change",
  virtual(async () => {
    const value = new AsyncValue<unknown>(NaN);
    const [seen, task] = watcher(value);
    let asked = 0;
    const waiter = createTask(() => value.waitFor(() => asked++ > 1));
    await turns(1);
    value.value = NaN;
    await turns(2);
    assertEquals([seen, asked], [[], 1]);
    for (const each of [0, -0]) {
      value.value = each;
      await turns(2);
    }
    assertEquals(seen, [0, -0]);
    await waiter;
    task.cancel();
    await outcome(task);
  }),
);

Deno.test(
  "iteration gives each change to one who comes back for it",
  virtual(async () => {
    const value = new AsyncValue("start");
    const [seen, task] = watcher(value);
    await turns(1);
    for (const each of ["a", "b", "c"]) {
      value.value = each;
      await turns(1);
    }
    assertEquals(seen, ["a", "b", "c"]);
    assertEquals(value.statistics(), { waiters: 0, watchers: 1 });
    task.cancel();
    await outcome(task);
  }),
);

Deno.test(
  "iteration skips what was replaced, and ends up with the latest value",
  virtual(async () => {
    const value = new AsyncValue(0);
    const seen: number[] = [];
    const task = createTask(async () => {
      for await (const each of value) {
        seen.push(each);
        await sleep(10);
        if (each === 8) break;
      }
    });
    await turns(1);
    for (const each of [1, 2, 3]) value.value = each;
    await sleep(5);
    for (const each of [4, 5]) value.value = each;
    await sleep(10);
    // It has 5 by now, and misses none of these, either.
    for (const each of [6, 7, 8]) value.value = each;
    await task;
    assertEquals(seen, [3, 5, 8]);
  }),
);

Deno.test(
  "a change before the first step of an iterator is not missed",
  virtual(async () => {
    const value = new AsyncValue(0);
    const iterator = value[Symbol.asyncIterator]();
    value.value = 1;
    assertEquals(await iterator.next(), { done: false, value: 1 });
    assertEquals(await iterator.return!(), { done: true, value: undefined });
  }),
);

Deno.test(
  "a watcher that is cancelled as a change comes gets it at its next step",
  virtual(async () => {
    const value = new AsyncValue(0);
    const iterator = value[Symbol.asyncIterator]();
    const task = createTask(() => iterator.next());
    await turns(1);
    value.value = 1;
    task.cancel();
    await assertRejects(() => task, CancelledError);
    assertEquals(await iterator.next(), { done: false, value: 1 });
  }),
);

Deno.test(
  "several iterators each have their own place",
  virtual(async () => {
    const value = new AsyncValue(0);
    const [one, other] = [value, value].map((each) =>
      each[Symbol.asyncIterator]()
    );
    value.value = 1;
    assertEquals((await one!.next()).value, 1);
    value.value = 2;
    assertEquals((await other!.next()).value, 2);
    assertEquals((await one!.next()).value, 2);
    assertEquals(await moveOnAfter(1, () => one!.next()), undefined);
  }),
);

Deno.test(
  "a cancelled waitFor() leaves nothing behind, and the others go on",
  virtual(async () => {
    const value = new AsyncValue(0);
    const tasks = [1, 2, 3].map(() =>
      createTask(() => value.waitFor((each) => each === 1))
    );
    await turns(1);
    tasks[0]!.cancel();
    value.value = 1;
    tasks[1]!.cancel();
    assertEquals(await outcomes(tasks), [
      "CancelledError",
      "CancelledError",
      1,
    ]);
    assertEquals(value.statistics().waiters, 0);
  }),
);

Deno.test(
  "C17 waitFor() and iteration reject a remembered cancellation at once",
  virtual(async () => {
    const value = new AsyncValue(1);
    const iterator = value[Symbol.asyncIterator]();
    value.value = 2;
    for (const wait of [() => value.waitFor(Boolean), () => iterator.next()]) {
      const task: Task<unknown> = createTask(async () => {
        task.cancel();
        await wait();
      });
      await assertRejects(() => task, CancelledError);
    }
    assertEquals((await iterator.next()).value, 2);
  }),
);

Deno.test(
  "an error of a predicate comes out of its own waitFor() only",
  virtual(async () => {
    const value = new AsyncValue(0);
    const fussy = (each: number) => {
      if (each > 0) throw new Error("unlucky");
      return false;
    };
    const tasks = [
      createTask(() => value.waitFor(fussy)),
      createTask(() => value.waitFor((each) => each > 0)),
    ];
    await turns(1);
    value.value = 1;
    assertEquals(await outcomes(tasks), ["Error", 1]);
    await assertRejects(() => value.waitFor(fussy), Error, "unlucky");
  }),
);

Deno.test(
  "whatever a predicate does, the others are asked as well",
  virtual(async () => {
    const value = new AsyncValue(0);
    const asked: number[] = [];
    const tasks: Task<unknown>[] = [
      createTask(() =>
        value.waitFor((each) => {
          if (each === 1) {
            tasks[0]!.cancel();
            tasks[1]!.cancel();
            value.value = 2;
          }
          return each === 1;
        })
      ),
      createTask(() => value.waitFor((each) => each === 1)),
      createTask(() =>
        value.waitFor((each) => {
          asked.push(each);
          return each === 1;
        })
      ),
    ];
    await turns(1);
    value.value = 1;
    assertEquals(await outcomes(tasks), [
      "CancelledError",
      "CancelledError",
      1,
    ]);
    assertEquals(asked, [0, 2, 1]);
    assertEquals(value.value, 2);
  }),
);

Deno.test(
  "waitFor() refuses what is no predicate, and one that returns a promise",
  virtual(async () => {
    const value = new AsyncValue(0);
    await assertRejects(
      () => value.waitFor(1 as never),
      TypeError,
      "Cannot wait for a value as 'predicate' must be a function: received 1",
    );
    await assertRejects(
      () => value.waitFor((async () => true) as never),
      TypeError,
      "'predicate' must not return a promise",
    );
    const task = createTask(() =>
      value.waitFor((each) => (each === 0 ? false : sleep(0)) as never)
    );
    await turns(1);
    value.value = 1;
    await assertRejects(() => task, TypeError, "must not return a promise");
  }),
);

Deno.test("a value belongs to the loop in which it was waited for", async () => {
  const value = new AsyncValue(0);
  const wait = () => value.waitFor((each) => each > 0);
  await run(() => assertRejects(() => timeout(0, wait)));
  await run(async () => {
    await assertRejects(wait, InvalidStateError, "AsyncValue.waitFor");
  });
  // Code outside of any loop may change it.
  value.value = 1;
  assertEquals(await wait(), 1);
});

Deno.test(
  "a value says what it is and who waits",
  virtual(async () => {
    const value = new AsyncValue("on");
    assertEquals(`${value}`, '<AsyncValue "on">');
    const task = createTask(() => value.waitFor((each) => each === "off"));
    const [, watching] = watcher(value);
    await turns(1);
    assertEquals(`${value}`, '<AsyncValue "on" waiters=1 watchers=1>');
    assertEquals(shown(value), `${value}`);
    assertStringIncludes(`${task}`, "waiting for AsyncValue.waitFor");
    assert(Object.isFrozen(value.statistics()));
    assertEquals(
      Object.prototype.toString.call(value),
      "[object AsyncValue]",
    );
    value.value = "off";
    await task;
    watching.cancel();
    await outcome(watching);
  }),
);
