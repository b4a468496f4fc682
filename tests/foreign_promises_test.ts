/** Promises of another realm, and what other libraries make with a `then`. */
import {
  asCompleted,
  CancelledError,
  Context,
  ContextVar,
  createTask,
  currentTask,
  ensureFuture,
  gather,
  getRunningLoop,
  shield,
  shielded,
  sleep,
  taskGroup,
  timeout,
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
import { runInNewContext } from "node:vm";
import { virtual } from "./_support/virtual.ts";

type Work<T> = () => Promise<T>;

/** An `async` function of another realm that does what `work` does. */
const inOtherRealm = runInNewContext(
  "(work) => async () => await work()",
) as <T>(work: Work<T>) => Work<T>;

/** What a query builder is: nothing begins before someone waits for it. */
class Lazy<T> implements PromiseLike<T> {
  readonly #work: Work<T>;

  constructor(work: Work<T>) {
    this.#work = work;
  }

  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#work().then(onFulfilled, onRejected);
  }
}

/** What zx and execa give: a promise with a `then` of its own. */
class Subclass<T> extends Promise<T> {
  static override get [Symbol.species]() {
    return Promise;
  }

  work: Work<T> | null = null;

  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.work!().then(onFulfilled, onRejected);
  }
}

const kinds: Record<string, <T>(work: Work<T>) => () => PromiseLike<T>> = {
  "a promise of another realm": inOtherRealm,
  "a thenable": (work) => () => new Lazy(work),
  "a subclass of Promise": (work) => () => {
    const promise = new Subclass<Awaited<ReturnType<typeof work>>>(() => {});
    promise.work = work as never;
    return promise as never;
  },
};

for (const [kind, of] of Object.entries(kinds)) {
  const value = of(() => sleep(5, "value"));
  const failure = of(async () => {
    await sleep(5);
    throw new RangeError("no value");
  });

  Deno.test(
    `${kind} is a promise for all that waits`,
    virtual(async () => {
      assertEquals(await createTask(value), "value");
      assertEquals(await ensureFuture(value()), "value");
      assertEquals(await gather([value, value()]), ["value", "value"]);
      assertEquals(await waitFor(value(), 10), "value");
      assertEquals(await shield(value()), "value");
      assertEquals(await shielded(value), "value");
      assertEquals(await timeout(10, value), "value");
      assertEquals(await taskGroup(value), "value");
      for await (const each of asCompleted([value()])) {
        assertEquals(each.result(), "value");
      }
      const { done } = await wait([createTask(value)]);
      assertEquals(done.size, 1);
    }),
  );

  Deno.test(
    `${kind} that fails is a failure for all that waits`,
    virtual(async () => {
      const waits: (() => PromiseLike<unknown>)[] = [
        () => createTask(failure),
        () => ensureFuture(failure()),
        () => gather([failure]),
        () => waitFor(failure(), 10),
        () => shield(failure()),
        () => shielded(failure),
        () => timeout(10, failure),
      ];
      for (const each of waits) {
        await assertRejects(async () => await each(), RangeError, "no value");
      }
    }),
  );

  Deno.test(
    `${kind} is interrupted by the block it is the value of`,
    virtual(async () => {
      const forever = of(() => sleep(60_000));
      const start = getRunningLoop().time();
      await assertRejects(() => timeout(5, forever), TimeoutError);
      assertEquals(getRunningLoop().time() - start, 5);
      let isInside = false;
      const shieldedWork = of(async () => {
        isInside = true;
        await sleep(20);
        return "done all the same";
      });
      const task = createTask(() => shielded(shieldedWork));
      await sleep(1);
      assert(isInside);
      task.cancel();
      await assertRejects(async () => await task, CancelledError);
    }),
  );

  Deno.test(
    `${kind} runs in the context to its end, and is cancelled there`,
    virtual(async () => {
      const name = new ContextVar<string>("name");
      const context = new Context();
      const seen: string[] = [];
      const work = of(async () => {
        name.set("inside");
        await sleep(5);
        seen.push(name.get(), `${currentTask()?.name}`);
        await sleep(60_000);
      });
      const task = createTask(async () => await context.run(work), {
        name: "main",
      });
      await sleep(10);
      assertEquals(seen, ["inside", "main"]);
      assertEquals(context.run(() => name.get()), "inside");
      task.cancel();
      await assertRejects(async () => await task, CancelledError);
    }),
  );
}

Deno.test(
  "a thenable that throws is a promise that fails",
  virtual(async () => {
    const bad: PromiseLike<never> = {
      then() {
        throw new RangeError("bad then");
      },
    };
    const waits: (() => PromiseLike<unknown>)[] = [
      () => createTask(() => bad),
      () => ensureFuture(bad),
      () => gather([bad, () => 1]),
      () => waitFor(bad, 10),
      () => shield(bad),
      () => timeout(10, () => bad),
      () => new Context().run(() => bad),
    ];
    for (const each of waits) {
      // At the call it is a promise like any other.
      const waiting = each();
      await assertRejects(async () => await waiting, RangeError, "bad then");
    }
  }),
);

Deno.test(
  "of a thenable that calls back twice, and throws then, the first call counts",
  virtual(async () => {
    const eager: PromiseLike<string> = {
      then(onFulfilled, onRejected) {
        onFulfilled?.("first");
        onFulfilled?.("second");
        onRejected?.(new Error("third"));
        throw new Error("fourth");
      },
    };
    assertEquals(await ensureFuture(eager), "first");
    assertEquals(await waitFor(eager, 10), "first");
    assertEquals(await gather([eager]), ["first"]);
  }),
);

Deno.test(
  "a task that a context runs is given out as it is",
  virtual(async () => {
    const task = createTask(() => 1);
    assertStrictEquals(new Context().run(() => task), task);
    assertEquals(await task, 1);
  }),
);
