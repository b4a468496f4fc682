import {
  CancelledError,
  createTask,
  gather,
  InvalidStateError,
  run,
  sleep,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";
import { BoundedSemaphore, Semaphore } from "@asyncio/asyncio/sync";
import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { hops, MANY_HOPS, outcomes, shown } from "../_support/outcome.ts";
import { turns, virtual } from "../_support/virtual.ts";

/** Tasks that take a permit, say so, wait a turn and give it back. */
function visitors(semaphore: Semaphore, names: string, log: string[]) {
  return [...names].map((name) =>
    createTask(async () => {
      using _ = await semaphore.acquire();
      log.push(name);
      await sleep(0);
    })
  );
}

Deno.test(
  "acquire() lets as many in as there are permits",
  virtual(async () => {
    const semaphore = new Semaphore(3);
    let inside = 0;
    let most = 0;
    await gather(Array.from({ length: 20 }, () => async () => {
      using _ = await semaphore.acquire();
      most = Math.max(most, ++inside);
      await sleep(1);
      inside--;
    }));
    assertEquals([most, inside], [3, 0]);
    assertEquals(semaphore.statistics().value, 3);
  }),
);

Deno.test(
  "L12 acquire() is first in, first out",
  virtual(async () => {
    const log: string[] = [];
    await gather(visitors(new Semaphore(2), "abcdefg", log));
    assertEquals(log.join(""), "abcdefg");
  }),
);

Deno.test(
  "L12 a freed permit that is on its way to a waiter makes locked() true",
  virtual(async () => {
    const semaphore = new Semaphore(1);
    const log: string[] = [];
    await semaphore.acquire();
    const tasks = visitors(semaphore, "a", log);
    await turns(1);
    semaphore.release();
    assert(semaphore.locked());
    tasks.push(...visitors(semaphore, "b", log));
    await gather(tasks);
    assertEquals(log.join(""), "ab");
    assertFalse(semaphore.locked());
  }),
);

Deno.test(
  "L13 a waiter that is woken and then cancelled gives the permit to the next",
  virtual(async () => {
    const semaphore = new Semaphore(1);
    const log: string[] = [];
    await semaphore.acquire();
    const tasks = visitors(semaphore, "abc", log);
    await turns(1);
    semaphore.release();
    tasks[0]!.cancel();
    assertEquals(await outcomes(tasks), [
      "CancelledError",
      undefined,
      undefined,
    ]);
    assertEquals(log.join(""), "bc");
    assertEquals(semaphore.statistics().value, 1);
  }),
);

Deno.test(
  "L13 all woken waiters cancelled give all permits back",
  virtual(async () => {
    const semaphore = new Semaphore(0);
    const tasks = [1, 2].map(() => createTask(() => semaphore.acquire()));
    await turns(1);
    semaphore.release();
    semaphore.release();
    for (const task of tasks) task.cancel();
    assertEquals(semaphore.statistics(), { value: 2, waiters: 0, bound: null });
    assertEquals(await outcomes(tasks), ["CancelledError", "CancelledError"]);
  }),
);

Deno.test(
  // asyncio throws a ValueError; it is the same mistake as with a lock.
  "L14 release() of a bounded semaphore that has all its permits throws",
  virtual(async () => {
    const semaphore = new BoundedSemaphore(1);
    assertThrows(
      () => semaphore.release(),
      InvalidStateError,
      "<BoundedSemaphore value=1 bound=1>",
    );
    await semaphore.acquire();
    semaphore.release();
    assertThrows(() => semaphore.release(), InvalidStateError);
    assertEquals(semaphore.statistics().value, 1);
  }),
);

Deno.test("L14 release() of a plain semaphore adds a permit", () => {
  const semaphore = new Semaphore(0);
  semaphore.release();
  semaphore.release();
  assertEquals(semaphore.statistics().value, 2);
});

Deno.test("L14 new Semaphore() throws where the number is none of permits", () => {
  for (const Class of [Semaphore, BoundedSemaphore]) {
    for (const value of [-1, 1.5, NaN, Infinity]) {
      assertThrows(
        () => new Class(value),
        RangeError,
        `Cannot create a semaphore as 'value' must be an integer of at least 0: received ${value}`,
      );
    }
    assertThrows(() => new Class("2" as never), TypeError, 'received "2"');
  }
});

Deno.test(
  "C17 acquire() rejects a remembered cancellation and takes nothing",
  virtual(async () => {
    const semaphore = new Semaphore(1);
    const task = createTask(async () => {
      task.cancel();
      await semaphore.acquire();
    });
    await assertRejects(() => task, CancelledError);
    assertEquals(semaphore.statistics().value, 1);
  }),
);

Deno.test("L18 acquire() in a second loop rejects when it must wait", async () => {
  const semaphore = new Semaphore(0);
  await run(async () => {
    const task = createTask(() => semaphore.acquire());
    await sleep(0);
    semaphore.release();
    await task;
  });
  await run(async () => {
    await assertRejects(
      () => semaphore.acquire(),
      InvalidStateError,
      "bound to another event loop",
    );
  });
});

Deno.test(
  "a hold gives its permit back once",
  virtual(async () => {
    const semaphore = new BoundedSemaphore(2);
    const hold = await semaphore.acquire();
    await semaphore.acquire();
    hold[Symbol.dispose]();
    hold[Symbol.dispose]();
    await hold[Symbol.asyncDispose]();
    assertEquals(semaphore.statistics().value, 1);
    {
      await using _ = await semaphore.acquire();
      assert(semaphore.locked());
    }
    assertEquals(semaphore.statistics().value, 1);
  }),
);

Deno.test(
  "with() holds a permit while the function runs",
  virtual(async () => {
    const semaphore = new Semaphore(1);
    assert(await semaphore.with(() => semaphore.locked()));
    await assertRejects(
      () => semaphore.with(() => Promise.reject(new Error("no"))),
      Error,
      "no",
    );
    await assertRejects(() => semaphore.with(1 as never), TypeError);
    assertFalse(semaphore.locked());
  }),
);

Deno.test(
  "a permit cancelled at any point of its way is never lost or doubled",
  virtual(async () => {
    for (let before = 0; before < MANY_HOPS; before++) {
      const semaphore = new BoundedSemaphore(2);
      const first = [await semaphore.acquire(), await semaphore.acquire()];
      const tasks = visitors(semaphore, "abcd", []);
      await turns(1);
      for (const hold of first) hold[Symbol.dispose]();
      await hops(before);
      tasks[1]!.cancel();
      await hops(1);
      tasks[0]!.cancel();
      assertEquals((await outcomes(tasks)).slice(2), [undefined, undefined]);
      assertEquals(semaphore.statistics().value, 2);
    }
  }),
);

Deno.test(
  "a timeout around acquire() leaves the permit to the others",
  virtual(async () => {
    const semaphore = new Semaphore(0);
    await assertRejects(
      () => timeout(5, () => semaphore.acquire()),
      TimeoutError,
    );
    semaphore.release();
    assertEquals(semaphore.statistics(), { value: 1, waiters: 0, bound: null });
  }),
);

Deno.test(
  "a semaphore shows its state",
  virtual(async () => {
    const semaphore = new BoundedSemaphore(2);
    assertEquals(`${semaphore}`, "<BoundedSemaphore value=2 bound=2>");
    assertEquals(shown(new Semaphore(3)), "<Semaphore value=3>");
    assert(Object.isFrozen(semaphore.statistics()));
    await semaphore.acquire();
    await semaphore.acquire();
    const task = createTask(() => semaphore.acquire());
    await turns(1);
    assertEquals(
      `${semaphore}`,
      "<BoundedSemaphore locked bound=2 waiters=1>",
    );
    assertEquals(`${task}`.includes("for BoundedSemaphore.acquire>"), true);
    semaphore.release();
    await task;
  }),
);
