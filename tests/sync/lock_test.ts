import {
  CancelledError,
  createTask,
  gather,
  getRunningLoop,
  InvalidStateError,
  newEventLoop,
  run,
  sleep,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";
import { type Hold, Lock } from "@asyncio/asyncio/sync";
import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { hops, MANY_HOPS, outcomes, shown } from "../_support/outcome.ts";
import { turns, virtual } from "../_support/virtual.ts";

/** Tasks that take the lock, say so, wait a turn and release it. */
function visitors(lock: Lock, names: string, log: string[]) {
  return [...names].map((name) =>
    createTask(async () => {
      using _ = await lock.acquire();
      log.push(name);
      await sleep(0);
    })
  );
}

Deno.test(
  "L1 acquire() is first in, first out",
  virtual(async () => {
    const lock = new Lock();
    const log: string[] = [];
    await gather(visitors(lock, "abcde", log));
    assertEquals(log.join(""), "abcde");
    assertFalse(lock.locked());
  }),
);

Deno.test(
  // In asyncio locked() is false in between; here the release hands it over.
  "L1 a newcomer does not get past a waiter the lock is on its way to",
  virtual(async () => {
    const lock = new Lock();
    const log: string[] = [];
    const hold = await lock.acquire();
    const waiter = visitors(lock, "a", log);
    await turns(1);
    hold[Symbol.dispose]();
    assert(lock.locked());
    await gather([...visitors(lock, "b", log), ...waiter]);
    assertEquals(log.join(""), "ab");
  }),
);

Deno.test(
  "L2 a waiter that is woken and then cancelled hands the lock on",
  virtual(async () => {
    const lock = new Lock();
    const log: string[] = [];
    await lock.acquire();
    const tasks = visitors(lock, "abc", log);
    await turns(1);
    lock.release();
    tasks[0]!.cancel();
    assert(lock.locked());
    assertEquals(await outcomes(tasks), [
      "CancelledError",
      undefined,
      undefined,
    ]);
    assertEquals(log.join(""), "bc");
    assertFalse(lock.locked());
  }),
);

Deno.test(
  "L2 the lock is free when the only waiter is woken and then cancelled",
  virtual(async () => {
    const lock = new Lock();
    await lock.acquire();
    const task = createTask(() => lock.acquire());
    await turns(1);
    lock.release();
    task.cancel();
    assertFalse(lock.locked());
    await assertRejects(() => task, CancelledError);
  }),
);

Deno.test(
  "L2 cancelling before the release hands the lock to the next",
  virtual(async () => {
    const lock = new Lock();
    const log: string[] = [];
    await lock.acquire();
    const tasks = visitors(lock, "ab", log);
    await turns(1);
    tasks[0]!.cancel();
    lock.release();
    assertEquals(await outcomes(tasks), ["CancelledError", undefined]);
    assertEquals(log.join(""), "b");
  }),
);

Deno.test(
  "L3 cancelling a waiter changes nothing else",
  virtual(async () => {
    const lock = new Lock();
    const log: string[] = [];
    const hold = await lock.acquire();
    const tasks = visitors(lock, "abc", log);
    await turns(1);
    tasks[1]!.cancel();
    assertEquals(lock.statistics().waiters, 2);
    assert(lock.locked());
    hold[Symbol.dispose]();
    await outcomes(tasks);
    assertEquals(log.join(""), "ac");
  }),
);

Deno.test(
  "L4 release() of a lock that is not held throws",
  virtual(async () => {
    const lock = new Lock();
    assertThrows(() => lock.release(), InvalidStateError, "<Lock unlocked>");
    await lock.acquire();
    lock.release();
    assertThrows(() => lock.release(), InvalidStateError, "not held");
  }),
);

Deno.test(
  // The lock is on its way to the waiter: the second call is one too many.
  "L4 release() twice throws also while others wait",
  virtual(async () => {
    const lock = new Lock();
    await lock.acquire();
    const tasks = visitors(lock, "ab", []);
    await turns(1);
    lock.release();
    assertThrows(() => lock.release(), InvalidStateError, "not held");
    assertEquals(await outcomes(tasks), [undefined, undefined]);
  }),
);

Deno.test(
  "L4 acquire() is not reentrant",
  virtual(async () => {
    const lock = new Lock();
    await lock.acquire();
    await assertRejects(() => timeout(10, () => lock.acquire()), TimeoutError);
    assert(lock.locked());
  }),
);

Deno.test(
  "L4 any task may release() the lock",
  virtual(async () => {
    const lock = new Lock();
    await lock.acquire();
    await createTask(() => lock.release());
    assertFalse(lock.locked());
  }),
);

Deno.test(
  "C17 acquire() rejects a remembered cancellation also when the lock is free",
  virtual(async () => {
    const lock = new Lock();
    const task = createTask(async () => {
      task.cancel();
      await lock.acquire();
    });
    await assertRejects(() => task, CancelledError);
    assertFalse(lock.locked());
  }),
);

Deno.test("L18 acquire() in a second loop rejects when it must wait", async () => {
  const lock = new Lock();
  await run(async () => {
    const hold = await lock.acquire();
    const waiter = createTask(() => lock.acquire());
    await sleep(0);
    hold[Symbol.dispose]();
    (await waiter)[Symbol.dispose]();
  });
  await run(async () => {
    await lock.acquire();
    await assertRejects(
      () => lock.acquire(),
      InvalidStateError,
      "bound to another event loop",
    );
    assertEquals(lock.statistics().waiters, 0);
  });
});

Deno.test("acquire() works in one loop after the other when it need not wait", async () => {
  const lock = new Lock();
  for (let i = 0; i < 2; i++) {
    const loop = newEventLoop();
    await loop.runUntilComplete(() => lock.with(() => {}));
    loop.close();
  }
  assertFalse(lock.locked());
});

Deno.test(
  "acquire() gives a hold for using and await using",
  virtual(async () => {
    const lock = new Lock();
    {
      using _ = await lock.acquire();
      assert(lock.locked());
    }
    assertFalse(lock.locked());
    {
      await using _ = await lock.acquire();
      assert(lock.locked());
    }
    assertFalse(lock.locked());
  }),
);

Deno.test(
  "a hold disposed of twice releases once",
  virtual(async () => {
    const lock = new Lock();
    const first = await lock.acquire();
    first[Symbol.dispose]();
    const second = await lock.acquire();
    first[Symbol.dispose]();
    await first[Symbol.asyncDispose]();
    assert(lock.locked());
    await second[Symbol.asyncDispose]();
    assertFalse(lock.locked());
  }),
);

Deno.test(
  "a hold releases nothing once another has the lock by release()",
  virtual(async () => {
    const lock = new Lock();
    const hold = await lock.acquire();
    lock.release();
    await lock.acquire();
    hold[Symbol.dispose]();
    assert(lock.locked());
  }),
);

Deno.test(
  "with() holds the lock while the function runs, and gives its result",
  virtual(async () => {
    const lock = new Lock();
    const result = await lock.with(async () => {
      await sleep(1);
      return lock.locked();
    });
    assert(result);
    assertFalse(lock.locked());
  }),
);

Deno.test(
  "with() releases the lock when the function throws",
  virtual(async () => {
    const lock = new Lock();
    const error = new Error("no");
    const thrown = await assertRejects(() =>
      lock.with(() => {
        throw error;
      })
    );
    assertStrictEquals(thrown, error);
    assertFalse(lock.locked());
  }),
);

Deno.test(
  "with() rejects what is not a function, and takes nothing",
  virtual(async () => {
    const lock = new Lock();
    await assertRejects(
      () => lock.with(Promise.resolve() as never),
      TypeError,
      "Cannot hold a lock as 'fn' must be a function: received a Promise",
    );
    assertFalse(lock.locked());
  }),
);

Deno.test(
  "a lock cancelled at any point of its way is never lost or held by two",
  virtual(async () => {
    for (let before = 0; before < MANY_HOPS; before++) {
      for (const release of [true, false]) {
        const lock = new Lock();
        let inside = 0;
        const visit = async () => {
          using _: Hold = await lock.acquire();
          assertEquals(++inside, 1);
          try {
            await sleep(0);
          } finally {
            inside--;
          }
        };
        const hold = await lock.acquire();
        const tasks = [createTask(visit), createTask(visit), createTask(visit)];
        await turns(1);
        if (release) hold[Symbol.dispose]();
        await hops(before);
        tasks[0]!.cancel();
        await hops(before % 3);
        tasks[1]!.cancel();
        hold[Symbol.dispose]();
        assertEquals((await outcomes(tasks))[2], undefined);
        assertEquals([lock.locked(), inside], [false, 0]);
      }
    }
  }),
);

Deno.test(
  "a timeout around acquire() leaves the lock to the others",
  virtual(async () => {
    const lock = new Lock();
    const hold = await lock.acquire();
    await assertRejects(() => timeout(5, () => lock.acquire()), TimeoutError);
    assertEquals(lock.statistics().waiters, 0);
    hold[Symbol.dispose]();
    assertFalse(lock.locked());
  }),
);

Deno.test(
  "ten thousand waiters are cancelled, and none is left",
  virtual(async () => {
    const lock = new Lock();
    const hold = await lock.acquire();
    const tasks = Array.from(
      { length: 10_000 },
      () => createTask(() => lock.acquire()),
    );
    await turns(1);
    assertEquals(lock.statistics().waiters, 10_000);
    for (const task of tasks) task.cancel();
    assertEquals(lock.statistics().waiters, 0);
    hold[Symbol.dispose]();
    assertEquals(new Set(await outcomes(tasks)), new Set(["CancelledError"]));
    assertFalse(lock.locked());
  }),
);

Deno.test(
  "a lock shows its state and its owner",
  virtual(async () => {
    const lock = new Lock();
    assertEquals(`${lock}`, "<Lock unlocked>");
    assertEquals(shown(lock), "<Lock unlocked>");
    assertEquals(lock.statistics(), { locked: false, owner: null, waiters: 0 });
    assert(Object.isFrozen(lock.statistics()));
    const owner = createTask(() => lock.acquire(), { name: "owner" });
    await owner;
    const waiter = createTask(() => lock.acquire(), { name: "waiter" });
    await turns(1);
    assertEquals(`${lock}`, '<Lock locked by="owner" waiters=1>');
    assertStrictEquals(lock.statistics().owner, owner);
    assertEquals(
      `${waiter}`,
      '<Task pending name="waiter" waiting for Lock.acquire (held by owner, which has ended)>',
    );
    lock.release();
    assertEquals(`${lock}`, '<Lock locked by="waiter">');
    assertEquals(Object.prototype.toString.call(lock), "[object Lock]");
  }),
);

Deno.test(
  "who waits for a lock says who holds it",
  virtual(async () => {
    const lock = new Lock();
    const holder = createTask(() => lock.with(() => sleep(10)), {
      name: "holder",
    });
    const waiter = createTask(() => lock.acquire());
    await sleep(1);
    assertEquals(waiter.getStack(), [
      "waiting for Lock.acquire (held by holder)",
    ]);
    await gather([holder, waiter]);
    // Taken outside of any task, there is nobody to name.
    lock.release();
    getRunningLoop().callSoon(() => void lock.acquire());
    await sleep(1);
    const next = createTask(() => lock.acquire());
    await sleep(1);
    assertEquals(next.getStack(), ["waiting for Lock.acquire"]);
    lock.release();
    await next;
  }),
);
