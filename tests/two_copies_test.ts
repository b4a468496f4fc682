// Two copies of the package in one program, as from JSR and from npm.
import * as asyncio from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { createContext, runInContext } from "node:vm";
import { currentScope } from "../loop/current.ts";
import { type Asyncio, loadCopy } from "./_support/copies.ts";
import { runProgram } from "./_support/programs.ts";

const other = await loadCopy();

/** Each test holds for a host of either copy and a guest of the other. */
function both(
  name: string,
  test: (host: Asyncio, guest: Asyncio) => Promise<void>,
): void {
  Deno.test(`${name}, as the first copy`, () => test(asyncio, other));
  Deno.test(`${name}, as the second copy`, () => test(other, asyncio));
}

/** What waits for a minute by the guest's means, and notes how it ends. */
function sleeper(guest: Asyncio, ends: string[]): () => Promise<void> {
  return async () => {
    try {
      await guest.sleep(60_000);
      ends.push("slept");
    } catch (error) {
      ends.push(guest.isCancelledError(error) ? "cancelled" : `${error}`);
      throw error;
    }
  };
}

Deno.test("a second copy has classes of its own", () => {
  assert(other.Task !== asyncio.Task);
});

both(
  "futures and cancellations are known by the other",
  async (host, guest) => {
    const task = host.createTask(() => guest.sleep(60_000));
    assert(guest.isFuture(task));
    task.cancel();
    const error = await assertRejects(() => task);
    assert(guest.isCancelledError(error) && host.isCancelledError(error));
  },
);

both("currentTask() gives the innermost task of both", async (host, guest) => {
  await host.run(async () => {
    const outer = host.currentTask() as unknown;
    assertStrictEquals(guest.currentTask() as unknown, outer);
    await guest.createTask(async () => {
      const inner = guest.currentTask() as unknown;
      assert(inner !== outer);
      assertStrictEquals(host.currentTask() as unknown, inner);
      await host.sleep(0);
      assertStrictEquals(host.currentTask() as unknown, inner);
    });
    assertStrictEquals(guest.currentTask() as unknown, outer);
    assertEquals(guest.currentTask(guest.getEventLoop()), null);
    assertEquals(guest.captureCallGraph(), null);
  });
  assertEquals([host.currentTask(), guest.currentTask()], [null, null]);
});

both("a task has ended for the other as well", async (host, guest) => {
  let later: Promise<unknown>;
  await host.createTask(() => {
    later = Promise.resolve().then(() => host.sleep(1)).then(() =>
      guest.currentTask()
    );
  });
  assertEquals(await later!, null);
});

both("cancelling reaches a wait of the other", async (host, guest) => {
  const ends: string[] = [];
  await host.run(async () => {
    const task = host.createTask(sleeper(guest, ends));
    await host.sleep(1);
    task.cancel("enough");
    await assertRejects(() => task, Error, "enough");
    assert(task.cancelled());
  });
  assertEquals(ends, ["cancelled"]);
});

both(
  "a second cancellation reaches the next wait of the other",
  async (host, guest) => {
    const ends: string[] = [];
    await host.run(async () => {
      const sleep = sleeper(guest, ends);
      const task = host.createTask(() => sleep().catch(sleep));
      for (const _ of "12") {
        await host.sleep(1);
        task.cancel();
      }
      await task.catch(() => {});
    });
    assertEquals(ends, ["cancelled", "cancelled"]);
  },
);

both("the waits of clean-up work after a cancellation", async (host, guest) => {
  const ends: string[] = [];
  await host.run(async () => {
    const task = host.createTask(async () => {
      try {
        await guest.sleep(60_000);
      } finally {
        await guest.sleep(1);
        await host.sleep(1);
        ends.push("clean");
      }
    });
    await host.sleep(1);
    task.cancel();
    await task.catch(() => {});
  });
  assertEquals(ends, ["clean"]);
});

both(
  "a remembered cancellation goes to the next wait of either",
  async (host, guest) => {
    await host.run(async () => {
      for (const next of [host, guest]) {
        const task = host.createTask(async () => {
          host.currentTask()!.cancel();
          await assertRejects(() => next.sleep(60_000));
          await guest.sleep(0);
          await host.sleep(0);
          return "caught once";
        });
        assertEquals(await task, "caught once");
      }
    });
  },
);

both("a timeout of the one ends a wait of the other", async (host, guest) => {
  await host.run(async () => {
    await assertRejects(
      () => guest.timeout(1, () => host.sleep(60_000)),
      guest.TimeoutError,
    );
    await assertRejects(
      () => host.timeout(1, () => guest.sleep(60_000)),
      host.TimeoutError,
    );
  });
});

both("cancelling goes through blocks of both", async (host, guest) => {
  const ends: string[] = [];
  await host.run(async () => {
    const task = host.createTask(() =>
      guest.timeout(60_000, () => host.timeout(60_000, sleeper(guest, ends)))
    );
    await host.sleep(1);
    task.cancel();
    await assertRejects(() => task);
    assert(task.cancelled());
  });
  assertEquals(ends, ["cancelled"]);
});

both(
  "cancelling who awaits a task of the other cancels it",
  async (host, guest) => {
    await host.run(async () => {
      const inner = guest.createTask(() => guest.sleep(60_000));
      const task = host.createTask(() => inner);
      await host.sleep(1);
      task.cancel();
      await assertRejects(() => task);
      assert(inner.cancelled());
    });
  },
);

both(
  "what takes an awaitable takes a future of the other",
  async (host, guest) => {
    await host.run(async () => {
      const task = guest.createTask(() => guest.sleep(1, "value"));
      const foreign = task as unknown as PromiseLike<string>;
      assertEquals(await host.gather([foreign, host.shield(foreign)]), [
        "value",
        "value",
      ]);
      assertEquals(await host.waitFor(foreign, 1000), "value");
      assertEquals(await host.ensureFuture(foreign), "value");
      const late = guest.createTask(() => guest.sleep(60_000));
      await assertRejects(
        () => host.waitFor(late as unknown as PromiseLike<void>, 1),
        host.TimeoutError,
      );
      assert(late.cancelled());
    });
  },
);

both(
  "a signal of the one is aborted with a task of the other",
  async (host, guest) => {
    await host.run(async () => {
      const signals: AbortSignal[] = [];
      const task = host.createTask(async () => {
        signals.push(guest.cancelSignal());
        await host.sleep(60_000);
      });
      await host.sleep(1);
      task.cancel();
      await task.catch(() => {});
      assert(signals[0]!.aborted);
    });
  },
);

Deno.test("a wait of a second copy leaves nothing behind", async () => {
  await asyncio.run(async () => {
    const scope = currentScope();
    const sleep = other.sleep(1);
    assert(scope.waits !== null);
    await sleep;
    assertEquals([scope.waits, scope.children], [null, null]);
  });
});

Deno.test("an unhandled error ends a program with two copies", async () => {
  for (const which of ["first", "second", "neither"]) {
    const { code, stderr } = await runProgram("two_copies", { args: [which] });
    assertEquals(code, which === "neither" ? 0 : 1, which);
    if (code !== 0) assertStringIncludes(stderr, "nobody handles this");
  }
});

Deno.test("copies that do not know each other say so as they are loaded", async () => {
  const { code, stderr } = await runProgram("two_copies", {
    args: ["unknown"],
  });
  assertEquals(code, 0);
  assertStringIncludes(
    stderr,
    "Two copies of @asyncio/asyncio in one program do not know each other: an older one and file:",
  );
});

Deno.test("another realm is not taken for a copy", () => {
  const key = Symbol.for("@asyncio/asyncio/copies");
  const inner = runInContext("globalThis", createContext({}));
  assertEquals(inner[key], undefined);
  assertEquals(
    (globalThis as unknown as Record<symbol, { copies: unknown[] }>)[key]!
      .copies.length,
    2,
  );
});
