import {
  createTask,
  gather,
  getEventLoop,
  InvalidStateError,
  run,
  sleep,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";
import { CapacityLimiter } from "@asyncio/asyncio/sync";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { hops, MANY_HOPS, outcomes, shown } from "../_support/outcome.ts";
import { turns, virtual } from "../_support/virtual.ts";

/** Tasks that borrow a token, say so, wait a turn and give it back. */
function borrowers(limiter: CapacityLimiter, names: string, log: string[]) {
  return [...names].map((name) =>
    createTask(async () => {
      using _ = await limiter.acquire();
      log.push(name);
      await sleep(1);
    }, { name })
  );
}

Deno.test(
  "a limiter lends as many tokens as there are, first come, first served",
  virtual(async () => {
    const limiter = new CapacityLimiter(2);
    const log: string[] = [];
    const tasks = borrowers(limiter, "abcde", log);
    await turns(1);
    assertEquals(log, ["a", "b"]);
    assertEquals(limiter.statistics(), {
      totalTokens: 2,
      borrowedTokens: 2,
      borrowers: [tasks[0]!, tasks[1]!],
      waiters: 3,
    });
    assertStrictEquals(limiter.availableTokens, 0);
    await outcomes(tasks);
    assertEquals(log.join(""), "abcde");
    assertEquals(limiter.statistics().borrowers, []);
  }),
);

Deno.test(
  "a task that borrows a second token is refused, as is one that waits",
  virtual(async () => {
    const limiter = new CapacityLimiter(1);
    await gather([async () => {
      using _ = await limiter.acquire();
      await assertRejects(
        () => limiter.acquire(),
        InvalidStateError,
        "has one already: received a call on <CapacityLimiter borrowed=1 of 1>",
      );
      assertThrows(() => limiter.tryAcquire(), InvalidStateError);
      await turns(2);
    }, async () => {
      const first = limiter.acquire();
      await assertRejects(
        () => limiter.acquire(),
        InvalidStateError,
        "waits for one already",
      );
      using _ = await first;
    }]);
    assertEquals(limiter.borrowedTokens, 0);
  }),
);

Deno.test(
  "release() by one that has no token is refused, also while it is on its way",
  virtual(async () => {
    const limiter = new CapacityLimiter(1);
    assertThrows(
      () => limiter.release(),
      InvalidStateError,
      "has none: received a call on <CapacityLimiter borrowed=0 of 1>",
    );
    await limiter.acquireOnBehalfOf(limiter);
    const waiter = createTask(() => limiter.acquire());
    await turns(1);
    limiter.releaseOnBehalfOf(limiter);
    assertThrows(() => limiter.releaseOnBehalfOf(waiter), InvalidStateError);
    assertThrows(() => limiter.releaseOnBehalfOf(limiter), InvalidStateError);
    (await waiter)[Symbol.dispose]();
    assertEquals(limiter.borrowedTokens, 0);
  }),
);

Deno.test(
  "a hold gives its token back once, from whatever task",
  virtual(async () => {
    const limiter = new CapacityLimiter(1);
    const hold = await createTask(() => limiter.acquire());
    hold[Symbol.dispose]();
    const other = await limiter.acquireOnBehalfOf({});
    hold[Symbol.dispose]();
    assertEquals(limiter.borrowedTokens, 1);
    await other[Symbol.asyncDispose]();
    assertEquals(limiter.borrowedTokens, 0);
  }),
);

Deno.test(
  "raising totalTokens lets those in that wait",
  virtual(async () => {
    const limiter = new CapacityLimiter(0);
    const log: string[] = [];
    const tasks = borrowers(limiter, "abcd", log);
    await turns(2);
    assertEquals(log, []);
    limiter.totalTokens = 3;
    await turns(1);
    assertEquals(log, ["a", "b", "c"]);
    limiter.totalTokens = Infinity;
    await turns(1);
    assertEquals(log, ["a", "b", "c", "d"]);
    await outcomes(tasks);
  }),
);

Deno.test(
  "lowering totalTokens below what is borrowed keeps others out until enough are back",
  virtual(async () => {
    const limiter = new CapacityLimiter(3);
    const holds = [];
    for (let n = 0; n < 3; n++) {
      holds.push(await limiter.acquireOnBehalfOf({ n }));
    }
    limiter.totalTokens = 1;
    assertEquals([limiter.borrowedTokens, limiter.availableTokens], [3, -2]);
    const log: string[] = [];
    const tasks = borrowers(limiter, "a", log);
    await turns(1);
    holds[0]![Symbol.dispose]();
    holds[1]![Symbol.dispose]();
    await turns(2);
    assertEquals(log, []);
    holds[2]![Symbol.dispose]();
    await outcomes(tasks);
    assertEquals(log, ["a"]);
  }),
);

Deno.test(
  "a token cancelled at any point of its way is never lost or lent twice",
  virtual(async () => {
    for (let before = 0; before < MANY_HOPS; before++) {
      const limiter = new CapacityLimiter(2);
      const first = [
        await limiter.acquireOnBehalfOf({}),
        await limiter.acquireOnBehalfOf({}),
      ];
      const tasks = borrowers(limiter, "abcd", []);
      await turns(1);
      for (const hold of first) hold[Symbol.dispose]();
      await hops(before);
      tasks[1]!.cancel();
      await hops(1);
      tasks[0]!.cancel();
      assertEquals((await outcomes(tasks)).slice(2), [undefined, undefined]);
      assertEquals(limiter.statistics(), {
        totalTokens: 2,
        borrowedTokens: 0,
        borrowers: [],
        waiters: 0,
      });
    }
  }),
);

Deno.test(
  "one whose wait was cancelled may borrow again",
  virtual(async () => {
    const limiter = new CapacityLimiter(1);
    const hold = await limiter.acquireOnBehalfOf(limiter);
    await createTask(async () => {
      await assertRejects(
        () => timeout(5, () => limiter.acquire()),
        TimeoutError,
      );
      hold[Symbol.dispose]();
      using _ = await limiter.acquire();
      assertEquals(limiter.borrowedTokens, 1);
    });
    assertEquals(limiter.borrowedTokens, 0);
  }),
);

Deno.test(
  "tryAcquire() borrows what is free, and gives null otherwise",
  virtual(async () => {
    const limiter = new CapacityLimiter(1);
    await createTask(async () => {
      using hold = limiter.tryAcquire();
      assert(hold !== null);
      assertEquals(await createTask(() => limiter.tryAcquire()), null);
    });
    assertStrictEquals(limiter.tryAcquireOnBehalfOf({}) === null, false);
  }),
);

Deno.test("code in no task is one borrower, its loop", async () => {
  const limiter = new CapacityLimiter(2);
  using _ = await limiter.acquire();
  assertEquals(limiter.statistics().borrowers, [getEventLoop()]);
  await assertRejects(() => limiter.acquire(), InvalidStateError);
});

Deno.test(
  "with() holds a token while the function runs, also when it throws",
  virtual(async () => {
    const limiter = new CapacityLimiter(1);
    assertEquals(await limiter.with(() => limiter.borrowedTokens), 1);
    await assertRejects(
      () => limiter.with(() => Promise.reject(new Error("no"))),
      Error,
      "no",
    );
    await assertRejects(() => limiter.with(1 as never), TypeError);
    assertEquals(limiter.borrowedTokens, 0);
  }),
);

Deno.test("a limiter refuses what is no number of tokens, and what is no borrower", async () => {
  for (const total of [-1, 1.5, NaN, -Infinity]) {
    assertThrows(() => new CapacityLimiter(total), RangeError, "'totalTokens'");
  }
  assertThrows(() => new CapacityLimiter("1" as never), TypeError);
  const limiter = new CapacityLimiter(1);
  assertThrows(() => limiter.totalTokens = -1, RangeError);
  await assertRejects(() => limiter.acquireOnBehalfOf(1 as never), TypeError);
  assertThrows(() => limiter.tryAcquireOnBehalfOf(null as never), TypeError);
  assertEquals(limiter.statistics().totalTokens, 1);
});

Deno.test("a limiter that is waited for in another loop refuses", async () => {
  const limiter = new CapacityLimiter(0);
  const wait = () => timeout(1, () => limiter.acquire());
  await run(() => assertRejects(wait, TimeoutError));
  await run(() => assertRejects(wait, InvalidStateError, "another event loop"));
  await run(() => assertRejects(wait, InvalidStateError, "another event loop"));
});

Deno.test(
  "a limiter shows its state",
  virtual(async () => {
    const limiter = new CapacityLimiter(1);
    await limiter.acquireOnBehalfOf({});
    const task = createTask(() => limiter.acquire());
    await turns(1);
    assertEquals(shown(limiter), "<CapacityLimiter borrowed=1 of 1 waiters=1>");
    assert(Object.isFrozen(limiter.statistics()));
    assert(Object.isFrozen(limiter.statistics().borrowers));
    task.cancel();
    await outcomes([task]);
  }),
);
