import {
  cancelOn,
  cancelSignal,
  createTask,
  currentTask,
  isCancelledError,
  sleep,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { outcome } from "../_support/outcome.ts";
import {
  countingSignal,
  foreignOperation,
  now,
  turns,
  virtual,
} from "../_support/virtual.ts";

Deno.test(
  "cancelOn() cancels its block when the signal is aborted, and throws the reason",
  virtual(async () => {
    const controller = new AbortController();
    const reason = new Error("gone");
    let inside: unknown;
    const task = createTask(async () => {
      const error = await assertRejects(() =>
        cancelOn(controller.signal, async () => {
          try {
            await sleep(100);
          } catch (error) {
            inside = error;
            await sleep(5);
            throw error;
          }
        })
      );
      assertStrictEquals(error, reason);
      assertEquals(currentTask()!.cancelling(), 0);
      await sleep(1);
      return now();
    });
    await sleep(10);
    controller.abort(reason);
    assertEquals(await task, 16);
    assert(isCancelledError(inside) && inside.reason === reason);
  }),
);

Deno.test(
  "cancelOn() throws an AbortError if no reason was given",
  virtual(async () => {
    const controller = new AbortController();
    const end = cancelOn(controller.signal, () => sleep(100));
    controller.abort();
    const error = await assertRejects(() => end);
    assertEquals((error as DOMException).name, "AbortError");
  }),
);

Deno.test(
  "cancelOn() gives what the block gives, and leaves nothing on the signal",
  virtual(async () => {
    const { signal, abort, listeners } = countingSignal();
    assertEquals(await cancelOn(signal, () => sleep(1, "value")), "value");
    assertEquals(await cancelOn(signal, () => "at once"), "at once");
    await assertRejects(
      () => cancelOn(signal, () => Promise.reject(new Error("own"))),
      Error,
      "own",
    );
    assertEquals(listeners(), 0);
    abort("too late");
    await sleep(1);
  }),
);

Deno.test(
  "with an aborted signal the first wait of the block throws",
  virtual(async () => {
    const signal = AbortSignal.abort("before");
    const log: string[] = [];
    const error = await assertRejects(() =>
      cancelOn(signal, async () => {
        log.push("begun");
        await sleep(0);
        log.push("never");
      })
    );
    assertEquals([error, log], ["before", ["begun"]] as never);
    // One that returns without a wait was aborted all the same.
    assertEquals(
      await cancelOn(signal, () => 1).catch((error) => error),
      "before",
    );
    await sleep(1);
  }),
);

Deno.test(
  "a block that makes a value of the cancellation gives it",
  virtual(async () => {
    const controller = new AbortController();
    const end = cancelOn(
      controller.signal,
      () => sleep(100, "late").catch(() => "in time"),
    );
    await turns(1);
    controller.abort();
    assertEquals(await end, "in time");
  }),
);

Deno.test(
  "an error of the block's own is thrown as it is",
  virtual(async () => {
    const controller = new AbortController();
    const end = cancelOn(controller.signal, async () => {
      await sleep(100).catch(() => {});
      throw new Error("clean-up");
    });
    await turns(1);
    controller.abort();
    await assertRejects(() => end, Error, "clean-up");
  }),
);

Deno.test(
  "the cancellation of the task counts, also beside the signal's",
  virtual(async () => {
    for (const first of ["signal", "task"]) {
      const controller = new AbortController();
      const task = createTask(() =>
        cancelOn(controller.signal, () => sleep(100))
      );
      await turns(2);
      if (first === "signal") controller.abort(new Error("signal"));
      task.cancel("task");
      if (first === "task") controller.abort(new Error("signal"));
      assertEquals(await outcome(task), "CancelledError");
    }
  }),
);

Deno.test(
  "blocks with signals in each other and in timeouts end by their own",
  virtual(async () => {
    const outer = new AbortController();
    const inner = new AbortController();
    const log: unknown[] = [];
    const task = createTask(() =>
      cancelOn(outer.signal, async () => {
        await cancelOn(inner.signal, () => sleep(100)).catch((error) =>
          log.push(error)
        );
        await assertRejects(
          () => timeout(5, () => cancelOn(inner.signal, () => sleep(100))),
          Error,
          "inner",
        ).catch((error) => log.push(`${error}`));
        await sleep(100);
      })
    );
    await sleep(1);
    inner.abort(new Error("inner"));
    await sleep(10);
    outer.abort("outer");
    assertEquals(await task.catch((error) => error), "outer");
    assertEquals(log.map((each) => (each as Error).message), ["inner"]);
  }),
);

Deno.test(
  "a timeout inside of cancelOn() stays a timeout",
  virtual(async () => {
    const { signal } = new AbortController();
    await assertRejects(
      () => cancelOn(signal, () => timeout(5, () => sleep(100))),
      TimeoutError,
    );
  }),
);

Deno.test(
  "a block that aborts its own signal ends at its next wait",
  virtual(async () => {
    const controller = new AbortController();
    const log: string[] = [];
    const error = await cancelOn(controller.signal, async () => {
      controller.abort("itself");
      log.push("goes on");
      await sleep(1);
      log.push("never");
    }).catch((error) => error);
    assertEquals([error, log], ["itself", ["goes on"]]);
  }),
);

Deno.test(
  "an operation of the platform in the block stops by its cancelSignal()",
  virtual(async () => {
    const controller = new AbortController();
    const log: string[] = [];
    const end = cancelOn(controller.signal, async () => {
      try {
        await foreignOperation(cancelSignal());
      } finally {
        await sleep(1);
        log.push("cleaned up");
      }
    });
    await turns(1);
    controller.abort("stop");
    assertEquals(await end.catch((error) => error), "stop");
    assertEquals(log, ["cleaned up"]);
  }),
);

Deno.test(
  "a chain of blocks, each of which aborts the next, may be long",
  virtual(async () => {
    const controllers = Array.from(
      { length: 5000 },
      () => new AbortController(),
    );
    let ended = 0;
    const tasks = controllers.map(({ signal }, index) =>
      createTask(() =>
        cancelOn(signal, async () => {
          cancelSignal().addEventListener(
            "abort",
            () => controllers[index + 1]?.abort(index),
          );
          await sleep(100);
        }).catch(() => ended++)
      )
    );
    await turns(2);
    controllers[0]!.abort("first");
    for (const task of tasks) await task;
    assertEquals([ended, now()], [5000, 0]);
  }),
);

Deno.test(
  "cancelOn() refuses what is no signal, and no function",
  virtual(async () => {
    await assertRejects(
      () => cancelOn(new AbortController() as never, () => 1),
      TypeError,
      "Cannot cancel on a signal as 'signal' must be an AbortSignal: received",
    );
    await assertRejects(() => cancelOn(null as never, () => 1), TypeError);
    const { signal, listeners } = countingSignal();
    await assertRejects(() => cancelOn(signal, 1 as never), TypeError, "'fn'");
    assertEquals(listeners(), 0);
  }),
);
