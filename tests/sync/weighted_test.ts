import {
  createTask,
  InvalidStateError,
  sleep,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";
import { BoundedSemaphore, Lock, Semaphore } from "@asyncio/asyncio/sync";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { hops, MANY_HOPS, outcomes } from "../_support/outcome.ts";
import { turns, virtual } from "../_support/virtual.ts";

/** Tasks that take so many permits, say so, wait a turn and give them back. */
function takers(semaphore: Semaphore, wants: readonly number[], log: string[]) {
  return wants.map((n, index) =>
    createTask(async () => {
      using _ = await semaphore.acquire(n);
      log.push(`${index}: ${n}`);
      await sleep(0);
    })
  );
}

Deno.test(
  "acquire(n) takes all n or none, and its hold gives all back",
  virtual(async () => {
    const semaphore = new Semaphore(5);
    const hold = await semaphore.acquire(3);
    assertEquals(semaphore.statistics().value, 2);
    const task = createTask(() => semaphore.acquire(3));
    await turns(2);
    assertEquals(semaphore.statistics(), { value: 2, waiters: 1, bound: null });
    hold[Symbol.dispose]();
    hold[Symbol.dispose]();
    await using _ = await task;
    assertEquals(semaphore.statistics().value, 2);
  }),
);

Deno.test(
  "a large acquire(n) is not starved by small ones, which do not overtake it",
  virtual(async () => {
    const semaphore = new Semaphore(3);
    const log: string[] = [];
    const first = await semaphore.acquire();
    const tasks = takers(semaphore, [3, 1, 1, 2], log);
    await turns(3);
    assertEquals(log, []);
    assert(semaphore.locked());
    assertEquals(semaphore.tryAcquire(), null);
    first[Symbol.dispose]();
    await outcomes(tasks);
    assertEquals(log, ["0: 3", "1: 1", "2: 1", "3: 2"]);
    assertEquals(semaphore.statistics().value, 3);
  }),
);

Deno.test(
  "a large one that is cancelled lets those behind it go",
  virtual(async () => {
    const semaphore = new Semaphore(2);
    const log: string[] = [];
    await semaphore.acquire();
    const tasks = takers(semaphore, [2, 1, 1], log);
    await turns(2);
    tasks[0]!.cancel();
    await turns(1);
    assertEquals(log, ["1: 1"]);
    assertEquals(await outcomes(tasks), [
      "CancelledError",
      undefined,
      undefined,
    ]);
    assertEquals(semaphore.statistics().value, 1);
  }),
);

Deno.test(
  "a timeout around a large acquire(n) lets those behind it go",
  virtual(async () => {
    const semaphore = new Semaphore(1);
    const large = createTask(() => timeout(5, () => semaphore.acquire(2)));
    await turns(1);
    const small = createTask(() => semaphore.acquire());
    await assertRejects(() => large, TimeoutError);
    await small;
    assertEquals(semaphore.statistics(), { value: 0, waiters: 0, bound: null });
  }),
);

Deno.test(
  "permits that were on their way to one that is cancelled go on together",
  virtual(async () => {
    for (let before = 0; before < MANY_HOPS; before++) {
      const semaphore = new BoundedSemaphore(4);
      const log: string[] = [];
      const first = await semaphore.acquire(4);
      const tasks = takers(semaphore, [3, 2, 1, 4], log);
      await turns(1);
      first[Symbol.dispose]();
      await hops(before);
      tasks[0]!.cancel();
      await hops(1);
      tasks[1]!.cancel();
      assertEquals((await outcomes(tasks)).slice(2), [undefined, undefined]);
      assertEquals(log.slice(-2), ["2: 1", "3: 4"]);
      assertEquals(semaphore.statistics(), { value: 4, waiters: 0, bound: 4 });
    }
  }),
);

Deno.test(
  "release(n) lets in as many as it is enough for",
  virtual(async () => {
    const semaphore = new Semaphore(0);
    const log: string[] = [];
    const tasks = takers(semaphore, [2, 2, 2], log);
    await turns(1);
    semaphore.release(4);
    assertEquals(semaphore.statistics(), { value: 0, waiters: 1, bound: null });
    await outcomes(tasks);
    assertEquals(semaphore.statistics().value, 4);
  }),
);

Deno.test(
  "a bounded semaphore keeps its bound for several permits",
  virtual(async () => {
    const semaphore = new BoundedSemaphore(3);
    await semaphore.acquire(2);
    assertThrows(
      () => semaphore.release(3),
      InvalidStateError,
      "Cannot release 3 permits as 2 are held: received a call on <BoundedSemaphore value=1 bound=3>",
    );
    semaphore.release(2);
    assertEquals(semaphore.statistics().value, 3);
    const message =
      "Cannot acquire permits as 'n' must be at most 3, which is all there are: received 4";
    await assertRejects(() => semaphore.acquire(4), RangeError, message);
    assertThrows(() => semaphore.tryAcquire(4), RangeError, message);
  }),
);

Deno.test(
  "a semaphore refuses what is no number of permits",
  virtual(async () => {
    const semaphore = new Semaphore(3);
    const bounded = new BoundedSemaphore(3);
    for (const n of [0, -1, 1.5, NaN, Infinity]) {
      const range = `'n' must be an integer of at least 1: received ${n}`;
      await assertRejects(() => semaphore.acquire(n), RangeError, range);
      assertThrows(() => semaphore.tryAcquire(n), RangeError, range);
      assertThrows(() => semaphore.release(n), RangeError, range);
      assertThrows(() => bounded.release(n), RangeError, range);
    }
    for (const n of ["2", null, Symbol("2")]) {
      assertThrows(() => bounded.release(n as never), TypeError, "an integer");
    }
    await assertRejects(() => semaphore.acquire("2" as never), TypeError);
    assertEquals(semaphore.statistics().value, 3);
  }),
);

Deno.test(
  "tryAcquire() of a semaphore takes what is free, and gives null otherwise",
  virtual(() => {
    const semaphore = new Semaphore(3);
    const hold = semaphore.tryAcquire(2);
    assert(hold !== null);
    assertStrictEquals(semaphore.tryAcquire(2), null);
    assert(semaphore.tryAcquire() !== null);
    assertStrictEquals(semaphore.tryAcquire(), null);
    hold[Symbol.dispose]();
    assertEquals(semaphore.statistics().value, 2);
  }),
);

Deno.test(
  "tryAcquire() of a lock takes it if it is free, and knows its owner",
  virtual(async () => {
    const lock = new Lock();
    const task = createTask(async () => {
      using hold = lock.tryAcquire();
      assert(hold !== null);
      assertEquals(lock.statistics().owner?.name, "holder");
      await sleep(5);
    }, { name: "holder" });
    await turns(1);
    assertStrictEquals(lock.tryAcquire(), null);
    await task;
    assert(lock.tryAcquire() !== null);
  }),
);

Deno.test(
  "tryAcquire() does not take a lock that is on its way to another",
  virtual(async () => {
    const lock = new Lock();
    const hold = await lock.acquire();
    const task = createTask(() => lock.acquire());
    await turns(1);
    hold[Symbol.dispose]();
    assertStrictEquals(lock.tryAcquire(), null);
    await task;
    assertStrictEquals(lock.tryAcquire(), null);
  }),
);

Deno.test(
  "ten thousand that want much and little all get it, in order",
  virtual(async () => {
    const semaphore = new BoundedSemaphore(10);
    const log: string[] = [];
    const wants = Array.from({ length: 10_000 }, (_, index) => 1 + index % 10);
    await outcomes(takers(semaphore, wants, log));
    assertEquals(log, wants.map((n, index) => `${index}: ${n}`));
    assertEquals(semaphore.statistics().value, 10);
  }),
);
