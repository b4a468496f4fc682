import {
  asCompleted,
  AsyncValue,
  type Awaitable,
  Broadcast,
  createTask,
  ensureFuture,
  gather,
  getRunningLoop,
  moveOnAfter,
  openChannel,
  race,
  select,
  shield,
  sleep,
  type Task,
  TimeoutError,
  wait,
  waitFor,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { addStep, eachStep, isOneStep, removeStep } from "../loop/steps.ts";
import type { Runnable } from "../loop/types.ts";
import { collectUntil, hasGc, heapUsed, leftBehind } from "./_support/gc.ts";
import {
  collectReports,
  deferred,
  turns,
  virtual,
} from "./_support/virtual.ts";

/** Bytes a round: less than any object that could be left. */
const LITTLE = 100;

type Waiter = (long: Awaitable<unknown>) => PromiseLike<unknown> | unknown;

/** Ways of waiting that end before what they wait for. */
const WAITERS: Readonly<Record<string, Waiter>> = {
  "shield()": (long) => moveOnAfter(1, () => shield(long)),
  "shield(), settled by hand": (long) => {
    const outer = shield(long);
    if (!outer.done()) outer.setResult(0);
  },
  "ensureFuture(shield())": (long) =>
    moveOnAfter(1, () => ensureFuture(shield(long))),
  "waitFor(shield())": (long) => waitFor(() => shield(long), 1).catch(() => {}),
  "wait()": (long) => wait([long], { timeout: 1 }),
  "a cancelled wait()": (long) => moveOnAfter(1, () => wait([long])),
  "wait(), done by another": (long) =>
    wait([long, () => sleep(1)], { returnWhen: "FIRST_COMPLETED" }),
  "gather(), failed by another": (long) =>
    gather([long, () => Promise.reject(new Error("x"))]).catch(() => {}),
  "race(), won by another": (long) =>
    race<unknown>([() => shield(long), () => sleep(1)]),
  "race(), cancelled": (long) =>
    moveOnAfter(1, () => race<unknown>([() => shield(long)])),
  "select(), won by another": (long) =>
    select({ long: () => shield(long), short: () => sleep(1) }),
  "asCompleted(), left": async (long) => {
    for await (const _ of asCompleted([long, () => sleep(1)])) break;
  },
  "asCompleted(), cancelled": (long) =>
    moveOnAfter(1, async () => {
      for await (const _ of asCompleted([long]));
    }),
  "asCompleted(), too late": async (long) => {
    await assertRejects(async () => {
      for await (const _ of asCompleted([long], { timeout: 1 }));
    }, TimeoutError);
  },
  "asCompleted() by promises, left": async (long) => {
    for (const each of asCompleted([long, () => sleep(1)])) {
      await each;
      break;
    }
  },
  "asCompleted() by promises, cancelled": (long) =>
    moveOnAfter(1, async () => {
      for (const each of asCompleted([long])) await each;
    }),
};

for (const [what, waiter] of Object.entries(WAITERS)) {
  Deno.test({
    name: `${what} leaves nothing on a task or a promise that goes on`,
    ignore: !hasGc,
    fn: virtual(async () => {
      const end = getRunningLoop().createFuture<void>();
      const task = createTask(() => end);
      const { promise } = deferred<void>();
      for (const long of [task, promise]) {
        const bytes = await leftBehind(() => waiter(long), LITTLE);
        assert(bytes <= LITTLE, `${bytes} bytes a round on ${long}`);
      }
      end.setResult();
      await task;
    }),
  });
}

/** Ways of using what passes items on, each of which is given up. */
const VISITORS: Readonly<Record<string, () => () => unknown>> = {
  "send(), cancelled,": () => {
    const [send] = openChannel<number>();
    return () => moveOnAfter(1, () => send.send(1));
  },
  "receive(), cancelled,": () => {
    const [, receive] = openChannel<number>();
    return () => moveOnAfter(1, () => receive.receive());
  },
  "an end of a channel, closed under one who waits,": () => {
    const [one, other] = [openChannel<number>(), openChannel<number>()];
    return async () => {
      const [send, receive] = [one[0].clone(), other[1].clone()];
      const waits = Promise.allSettled([send.send(1), receive.receive()]);
      send.close();
      receive.close();
      await waits;
    };
  },
  "a subscription, closed under a publisher,": () => {
    const hub = new Broadcast<number>({ capacity: 1 });
    return async () => {
      const inbox = hub.subscribe();
      await hub.publish(1);
      const publisher = hub.publish(2);
      inbox.close();
      await publisher;
    };
  },
  "publish(), cancelled,": () => {
    const hub = new Broadcast<number>({ capacity: 1 });
    return async () => {
      using _ = hub.subscribe();
      await hub.publish(1);
      await moveOnAfter(1, () => hub.publish(2));
    };
  },
  "waitFor() of a value, cancelled,": () => {
    const value = new AsyncValue(0);
    return () => moveOnAfter(1, () => value.waitFor((each) => each === 1));
  },
  "iteration over a value, cancelled,": () => {
    const value = new AsyncValue(0);
    return () =>
      moveOnAfter(1, async () => {
        for await (const _ of value);
      });
  },
};

for (const [what, makeVisit] of Object.entries(VISITORS)) {
  Deno.test({
    name: `${what} leaves nothing behind`,
    ignore: !hasGc,
    fn: virtual(async () => {
      const bytes = await leftBehind(makeVisit(), LITTLE);
      assert(bytes <= LITTLE, `${bytes} bytes a round`);
    }),
  });
}

Deno.test({
  name: "a promise that is waited for again and again has one reaction",
  fn: virtual(async () => {
    let reactions = 0;
    const promise = new Promise<number>((resolve) => {
      getRunningLoop().callLater(100, resolve, 7);
    });
    const thenable = {
      then: (...handlers: Parameters<typeof promise.then>) => {
        reactions++;
        return promise.then(...handlers);
      },
    };
    for (let n = 0; n < 10; n++) {
      await moveOnAfter(1, () => ensureFuture(thenable as Promise<number>));
    }
    const last = ensureFuture(thenable as Promise<number>);
    assertEquals([await last, reactions], [7, 1]);
    assertEquals(await ensureFuture(thenable as Promise<number>), 7);
  }),
});

Deno.test(
  "futures of one promise are cancelled each alone, and come to its result in order",
  virtual(async () => {
    const { promise, resolve } = deferred<string>();
    const futures = Array.from({ length: 5 }, () => ensureFuture(promise));
    const order: number[] = [];
    for (const [index, future] of futures.entries()) {
      future.addDoneCallback(() => order.push(index));
    }
    futures[0]!.cancel();
    futures[3]!.cancel();
    await turns(2);
    resolve("value");
    await turns(3);
    assertEquals(order, [0, 3, 1, 2, 4]);
    assertEquals(futures[4]!.result(), "value");
    assert(futures[0]!.cancelled());
  }),
);

Deno.test({
  name: "a future of a promise is kept for a callback, and for one who waits",
  ignore: !hasGc,
  fn: virtual(async () => {
    const { promise, resolve } = deferred<number>();
    const seen: unknown[] = [];
    (() => {
      for (let n = 0; n < 40; n++) {
        ensureFuture(promise).addDoneCallback((each) =>
          seen.push(each.result())
        );
      }
    })();
    const waits = Promise.all(
      [1, 2, 3].map(async () => await ensureFuture(promise)),
    );
    await heapUsed();
    resolve(1);
    assertEquals(await waits, [1, 1, 1]);
    await turns(2);
    assertEquals(seen, new Array(40).fill(1));
  }),
});

Deno.test(
  "the failure of a promise is reported once, however many futures it has",
  virtual(async () => {
    const reports = collectReports();
    let reject!: (error: unknown) => void;
    const promise = new Promise<never>((_, settle) => reject = settle);
    for (let n = 0; n < 10; n++) await wait([promise], { timeout: 1 });
    const awaited = assertRejects(() => ensureFuture(promise), Error, "x");
    reject(new Error("x"));
    await awaited;
    if (hasGc) await heapUsed();
    await turns(3);
    assertEquals(reports, []);
  }),
);

/** A task that will fail, which ten have waited for behind shields, and left. */
async function leftByShields(): Promise<[Task<never>]> {
  const shared = createTask(async (): Promise<never> => {
    await sleep(100);
    throw new Error("x");
  });
  for (let n = 0; n < 10; n++) await moveOnAfter(1, () => shield(shared));
  // In a list, as a task that is returned would be awaited.
  return [shared];
}

Deno.test(
  "a failure that was awaited is not reported by the shields that left before",
  virtual(async () => {
    const reports = collectReports();
    const [shared] = await leftByShields();
    await assertRejects(() => shared, Error, "x");
    await turns(3);
    assertEquals(reports, []);
  }),
);

Deno.test(
  "a failure after all shields have left is reported once",
  virtual(async () => {
    const reports = collectReports();
    const [shared] = await leftByShields();
    await sleep(100);
    assertEquals(reports.map(({ message }) => message), [
      "Exception in a shielded future that nobody waits for any more",
    ]);
    assertStrictEquals(reports[0]!.future, shared);
  }),
);

Deno.test(
  "shields that are cancelled as the work fails report it once",
  virtual(async () => {
    const reports = collectReports();
    const work = getRunningLoop().createFuture<void>();
    const outers = [shield(work), shield(work)];
    work.setException(new Error("x"));
    for (const outer of outers) outer.cancel();
    await turns(3);
    assertEquals(reports.length, 1);
  }),
);

Deno.test(
  "shields that nobody awaits report a failure once",
  virtual(async () => {
    const reports = collectReports();
    const loop = getRunningLoop();
    const work = loop.createFuture<void>();
    const outers = Array.from({ length: 10 }, () => shield(work));
    work.setException(new Error("x"));
    await turns(3);
    assertEquals(outers.filter((each) => each.done()).length, 10);
    outers.length = 0;
    if (hasGc) {
      await collectUntil(() => reports.length > 0);
      await heapUsed();
      assertEquals(reports.length, 1);
    }
    loop.setExceptionHandler(() => {});
  }),
);

Deno.test({
  name: "done callbacks that ran are let go of, also those added later",
  ignore: !hasGc,
  fn: virtual(async () => {
    const ready = getRunningLoop().createFuture<void>();
    const held: WeakRef<object>[] = [];
    const add = () => {
      const large = { large: true };
      held.push(new WeakRef(large));
      ready.addDoneCallback(() => void large);
    };
    add();
    ready.setResult();
    add();
    await turns(2);
    await collectUntil(() => held.every((each) => each.deref() === undefined));
    assertEquals(held.map((each) => each.deref()), [undefined, undefined]);
    assert(ready.done());
  }),
});

Deno.test("steps keep their order, and any of them leaves, however many they are", () => {
  const step = (name: string): Runnable => ({
    runsCode: false,
    run() {},
    describe: () => name,
  });
  for (const count of [0, 1, 2, 8, 9, 50]) {
    const all = Array.from({ length: count }, (_, n) => step(`${n}`));
    let steps = all.reduce<ReturnType<typeof addStep>>(addStep, null);
    assertEquals([...eachStep(steps)], all);
    assertEquals(isOneStep(steps), count === 1);
    steps = removeStep(steps, step("another"));
    for (const [index, each] of all.entries()) {
      if (index % 2 === 0) steps = removeStep(steps, each);
    }
    assertEquals(
      [...eachStep(steps)],
      all.filter((_, index) => index % 2 === 1),
    );
    for (const each of all) steps = removeStep(steps, each);
    assertEquals(steps, null);
  }
});
