import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  BrokenWorkerError,
  CancelledError,
  cancelSignal,
  checkCancelled,
  createTask,
  type ExceptionContext,
  type Future,
  gather,
  getEventLoop,
  getRunningLoop,
  InvalidStateError,
  newEventLoop,
  run,
  setEventLoop,
  sleep,
  timeout,
  TimeoutError,
  toThread,
  WorkerPoolExecutor,
} from "@asyncio/asyncio";
import { shown } from "../_support/outcome.ts";
import { runProgram } from "../_support/programs.ts";
import { sharedState, until, WORK, type Work } from "../_support/threads.ts";
import { countingSignal } from "../_support/virtual.ts";

/** Sets the state to 1, and goes on until it is ended. */
function spin(state: Int32Array): void {
  Atomics.store(state, 0, 1);
  for (;;);
}

Deno.test("X2 cancelling frees the caller at once while the job goes on", async () => {
  await using executor = new WorkerPoolExecutor({
    maxWorkers: 1,
    graceMs: Infinity,
  });
  const state = sharedState();
  const task = createTask(() =>
    executor.submit((shared) => {
      Atomics.store(shared, 0, 1);
      while (Atomics.load(shared, 0) !== 2);
      Atomics.store(shared, 0, 3);
    }, state)
  );
  await until(state, 1);
  task.cancel();
  await assertRejects(() => task, CancelledError);
  assertEquals(executor.statistics().running, 1);
  Atomics.store(state, 0, 2);
  await until(state, 3);
});

Deno.test("X3 a job still queued is really cancelled", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  const state = sharedState();
  const ran = sharedState();
  const first = executor.submit((shared) => {
    Atomics.store(shared, 0, 1);
    while (Atomics.load(shared, 0) !== 2);
  }, state);
  const queued = executor.submit((shared) => shared.fill(1), ran);
  const last = executor.submit(() => "last");
  assertEquals(executor.statistics().queued, 2);
  assert(queued.cancel());
  assertEquals(executor.statistics().queued, 1);
  await until(state, 1);
  Atomics.store(state, 0, 2);
  await first;
  assertEquals(await last, "last");
  assertEquals(ran[0], 0);
});

Deno.test("a running job hears of its cancellation by checkCancelled()", async () => {
  await using executor = new WorkerPoolExecutor({
    maxWorkers: 1,
    graceMs: Infinity,
  });
  const state = sharedState();
  const job = executor.submit((shared) => {
    Atomics.store(shared, 0, 1);
    try {
      for (;;) checkCancelled();
    } finally {
      checkCancelled();
      Atomics.store(shared, 0, 2);
    }
  }, state);
  await until(state, 1);
  job.cancel();
  await until(state, 2);
  assertEquals(
    await executor.submit(() => "the same worker"),
    "the same worker",
  );
});

Deno.test("a running job hears of its cancellation by cancelSignal()", async () => {
  await using executor = new WorkerPoolExecutor({
    maxWorkers: 1,
    graceMs: Infinity,
  });
  const state = sharedState();
  const synchronous = executor.submit((shared) => {
    Atomics.store(shared, 0, 1);
    while (!cancelSignal().aborted);
    Atomics.store(shared, 0, 2);
  }, state);
  await until(state, 1);
  synchronous.cancel();
  await until(state, 2);
  const asynchronous = executor.submit(async (shared) => {
    const signal = cancelSignal();
    Atomics.store(shared, 0, 3);
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    Atomics.store(shared, 0, signal.reason.reason === "enough" ? 4 : 5);
  }, state);
  await until(state, 3);
  asynchronous.cancel("enough");
  await until(state, 4);
});

Deno.test("a module's function hears of its cancellation as code of a task does", async () => {
  await using executor = new WorkerPoolExecutor({
    maxWorkers: 1,
    graceMs: Infinity,
  });
  const work = executor.module<Work>(WORK);
  for (const fn of [work.spin, work.spinOnSignal]) {
    const state = sharedState();
    const job = fn(state);
    await until(state, 1);
    job.cancel();
    await until(state, 2);
  }
});

Deno.test("a job that does not end within graceMs is ended, and no other", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 2, graceMs: 20 });
  const [state, other] = [sharedState(), sharedState()];
  const neighbour = executor.submit((shared) => {
    Atomics.store(shared, 0, 1);
    while (Atomics.load(shared, 0) !== 2);
    return "unharmed";
  }, other);
  const job = executor.submit(spin, state);
  await gather([() => until(state, 1), () => until(other, 1)]);
  job.cancel();
  await assertRejects(() => job, CancelledError);
  while (executor.statistics().workers === 2) await sleep(1);
  Atomics.store(other, 0, 2);
  assertEquals(await neighbour, "unharmed");
});

Deno.test("a fresh worker takes the place of one that was ended", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1, graceMs: 0 });
  const state = sharedState();
  const job = executor.submit(spin, state);
  const next = executor.submit(() => "next");
  await until(state, 1);
  job.cancel();
  assertEquals(await next, "next");
  assertEquals(await executor.submit(() => "later"), "later");
});

Deno.test("timeout() ends a job", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1, graceMs: 0 });
  await assertRejects(
    () =>
      timeout(20, () =>
        executor.submit(() => {
          for (;;);
        })),
    TimeoutError,
  );
});

Deno.test("a job that ends in its grace leaves the worker alive", async () => {
  await using executor = new WorkerPoolExecutor({
    maxWorkers: 1,
    graceMs: 60_000,
  });
  const state = sharedState();
  const job = executor.submit((shared) => {
    (globalThis as { mark?: string }).mark = "the same";
    Atomics.store(shared, 0, 1);
    for (;;) checkCancelled();
  }, state);
  await until(state, 1);
  job.cancel();
  assertEquals(
    await executor.submit(() => (globalThis as { mark?: string }).mark),
    "the same",
  );
});

Deno.test("a cancellation does not reach the worker's next job", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  for (let round = 0; round < 20; round++) {
    const job = executor.submit(() => 1);
    const next = executor.submit(async () => {
      await new Promise((resolve) => setTimeout(resolve, 0));
      checkCancelled();
      return cancelSignal().aborted;
    });
    job.cancel();
    assertFalse(await next);
  }
});

Deno.test("a worker that exits fails its own job only", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 2 });
  const state = sharedState();
  const neighbour = executor.submit((shared) => {
    while (Atomics.load(shared, 0) !== 1);
    return "unharmed";
  }, state);
  const queued = () => executor.submit(() => "queued");
  const job = executor.submit(function leave() {
    process.exit(3);
  });
  const after = queued();
  const error = await assertRejects(() => job, BrokenWorkerError);
  assertEquals(
    error.message,
    "Cannot give the result of the function leave as its worker has ended with status 3",
  );
  assertEquals(error.exitCode, 3);
  assertEquals(await after, "queued");
  Atomics.store(state, 0, 1);
  assertEquals(await neighbour, "unharmed");
});

Deno.test({
  name: "a worker that closes itself fails its job",
  ignore: !("Deno" in globalThis),
  fn: async () => {
    await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
    const job = executor.submit(() => {
      (globalThis as unknown as { close(): void }).close();
      return new Promise<void>(() => {});
    });
    await assertRejects(() => job, BrokenWorkerError);
    assertEquals(await executor.submit(() => 1), 1);
  },
});

Deno.test("an error that nothing catches is the cause of the job's", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  const thrown = await assertRejects(
    () =>
      executor.submit(() => {
        setTimeout(() => {
          throw new RangeError("in a timer");
        }, 0);
        return new Promise<void>(() => {});
      }),
    BrokenWorkerError,
    "RangeError: in a timer",
  );
  assert(thrown.cause instanceof RangeError);
  const rejected = await assertRejects(
    () =>
      executor.submit(() => {
        Promise.reject(new TypeError("floating"));
        return new Promise<void>(() => {});
      }),
    BrokenWorkerError,
    "TypeError: floating",
  );
  assert(rejected.cause instanceof TypeError);
});

Deno.test("an error between two jobs goes to the exception handler", async () => {
  const reports: ExceptionContext[] = [];
  await run(async () => {
    const loop = getRunningLoop();
    loop.setExceptionHandler((context) => void reports.push(context));
    await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
    await executor.submit(() => {
      setTimeout(() => {
        throw new RangeError("too late");
      }, 5);
    });
    while (reports.length === 0) await sleep(1);
    assertEquals(await executor.submit(() => "goes on"), "goes on");
  });
  assertEquals((reports[0]!.error as Error).message, "too late");
  assertEquals(reports.length, 1);
});

Deno.test("an argument of a queued job is taken at the call", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  const state = sharedState();
  const first = executor.submit((shared) => {
    while (Atomics.load(shared, 0) !== 1);
  }, state);
  const list = [1];
  const bytes = new Uint8Array([7]);
  const queued = executor.submit((mine) => mine, list);
  const { transfer } = await import("@asyncio/asyncio");
  const moved = executor.submit((mine) => mine, transfer(bytes));
  assertEquals(bytes.length, 0);
  list.push(2);
  assertThrows(
    () => executor.submit((fn) => fn, () => {}),
    TypeError,
    "argument 1",
  );
  Atomics.store(state, 0, 1);
  await first;
  assertEquals(await queued, [1]);
  assertEquals(await moved, new Uint8Array([7]));
});

Deno.test("jobs begin in their order, and no more at once than there are workers", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 2 });
  const counter = sharedState();
  const jobs = Array.from(
    { length: 20 },
    () => executor.submit((shared) => Atomics.add(shared, 0, 1), counter),
  );
  assertEquals(executor.statistics(), {
    maxWorkers: 2,
    workers: 2,
    running: 2,
    queued: 18,
  });
  assertEquals(
    (await gather(jobs)).toSorted((a, b) => a - b),
    Array.from({ length: 20 }, (_, index) => index),
  );
});

Deno.test("shutdown() waits for the jobs and takes no more", async () => {
  const executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  const jobs = [1, 2, 3].map((n) => executor.submit((m) => m, n));
  const ended = executor.shutdown();
  assertThrows(
    () => executor.submit(() => 1),
    InvalidStateError,
    "the executor is shut down",
  );
  await ended;
  assertEquals(jobs.map((job) => job.result()), [1, 2, 3]);
  assertEquals(executor.statistics().workers, 0);
  await executor.shutdown();
});

Deno.test("shutdown() cancels what runs and what is queued", async () => {
  const executor = new WorkerPoolExecutor({ maxWorkers: 1, graceMs: 0 });
  const state = sharedState();
  const jobs = [executor.submit(spin, state), executor.submit(spin, state)];
  await until(state, 1);
  await executor.shutdown({ cancelFutures: true });
  assertEquals(jobs.map((job) => job.cancelled()), [true, true]);
});

Deno.test("shutdown() that does not wait returns at once", async () => {
  const executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  const state = sharedState();
  const job = executor.submit((shared) => {
    while (Atomics.load(shared, 0) !== 1);
    return "done";
  }, state);
  await executor.shutdown({ wait: false });
  assertFalse(job.done());
  Atomics.store(state, 0, 1);
  assertEquals(await job, "done");
  await executor.shutdown();
});

Deno.test("shutdown() can be cancelled, and the executor is shut down", async () => {
  const executor = new WorkerPoolExecutor({ maxWorkers: 1, graceMs: 0 });
  const state = sharedState();
  const job = executor.submit(spin, state);
  await assertRejects(
    () => timeout(5, () => executor.shutdown()),
    TimeoutError,
  );
  assertThrows(() => executor.submit(() => 1), InvalidStateError);
  await executor.shutdown({ cancelFutures: true });
  assert(job.cancelled());
});

Deno.test("await using cancels the jobs when the task is cancelled in it", async () => {
  const state = sharedState();
  let job: ReturnType<typeof toThread> | undefined;
  const task = createTask(async () => {
    await using executor = new WorkerPoolExecutor({
      maxWorkers: 1,
      graceMs: 0,
    });
    job = executor.submit(spin, state);
  });
  await until(state, 1);
  task.cancel();
  await assertRejects(() => task, CancelledError);
  assert(job!.cancelled());
});

Deno.test("WorkerPoolExecutor refuses options that are none", () => {
  const make = (options: object) => () => new WorkerPoolExecutor(options);
  assertThrows(make({ maxWorkers: 0 }), RangeError, "at least 1: received 0");
  assertThrows(make({ maxWorkers: 1.5 }), RangeError, "received 1.5");
  assertThrows(make({ maxWorkers: "2" }), TypeError, "'maxWorkers'");
  assertThrows(make({ graceMs: NaN }), RangeError, "'graceMs'");
  assertThrows(make({ exposed: { a: 1 } }), TypeError, "'exposed.a'");
});

Deno.test("WorkerPoolExecutor shows its state", async () => {
  const executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  const jobs = [executor.submit(() => 1), executor.submit(() => 2)];
  assertEquals(
    shown(executor),
    "<WorkerPoolExecutor 1 of 1 workers running, 1 queued>",
  );
  await gather(jobs);
  await executor.shutdown();
  assertEquals(
    `${executor}`,
    "<WorkerPoolExecutor 0 of 0 workers running, 0 queued, shut down>",
  );
});

Deno.test("an executor serves several loops", async () => {
  const executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  for (const n of [1, 2]) {
    assertEquals(await run(() => executor.submit((m) => m, n)), n);
  }
  assertEquals(executor.statistics().workers, 1);
  await executor.shutdown();
});

Deno.test("a job whose loop is closed ends unheard", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  const state = sharedState();
  const loop = newEventLoop();
  const job = await loop.runUntilComplete(() => [
    loop.runInExecutor(executor, (shared) => {
      while (Atomics.load(shared, 0) !== 1);
      return "done";
    }, state),
  ]);
  loop.close();
  Atomics.store(state, 0, 1);
  while (executor.statistics().running > 0) await sleep(1);
  assertEquals(job[0]!.result(), "done");
  assertThrows(() => loop.runInExecutor(executor, () => 1), InvalidStateError);
});

Deno.test("U6 run() shuts the default executor down", async () => {
  let loop = getEventLoop();
  const job = await run(() => {
    loop = getRunningLoop();
    return [toThread((n) => n, 5)];
  });
  assertEquals(job[0]!.result(), 5);
  assertThrows(() => loop.runInExecutor(null, () => 1), InvalidStateError);
});

Deno.test("U6 a default executor that is shut down takes no jobs", async () => {
  await run(async () => {
    const loop = getRunningLoop();
    assertEquals(await toThread(() => 1), 1);
    await loop.shutdownDefaultExecutor();
    assertThrows(() => toThread(() => 1), InvalidStateError, "is shut down");
    loop.setDefaultExecutor(new WorkerPoolExecutor({ maxWorkers: 1 }));
    assertEquals(await toThread(() => 2), 2);
  });
});

Deno.test("U6 run() that is cancelled ends a job that does not listen", async () => {
  const controller = new AbortController();
  const state = sharedState();
  const running = run(async () => {
    const executor = new WorkerPoolExecutor({ maxWorkers: 1, graceMs: 0 });
    getRunningLoop().setDefaultExecutor(executor);
    await toThread(spin, state);
  }, { signal: controller.signal });
  while (Atomics.load(state, 0) !== 1) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  controller.abort();
  await assertRejects(() => running, CancelledError);
});

Deno.test("close() of a loop shuts its default executor down", async () => {
  const loop = newEventLoop();
  await loop.runUntilComplete(() => toThread(() => 1));
  const executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  loop.setDefaultExecutor(executor);
  assertEquals(await loop.runUntilComplete(() => toThread(() => 2)), 2);
  loop.close();
  assertThrows(() => executor.submit(() => 1), InvalidStateError);
  await executor.shutdown();
});

Deno.test("idle workers do not keep a program alive, and running ones do", async () => {
  assertEquals(await runProgram("idle_workers"), {
    code: 0,
    stdout: "the first\nthe second\n",
    stderr: "",
  });
});

Deno.test("a loop without threads says what to import", async () => {
  const { code, stdout, stderr } = await runProgram("loop_without_threads");
  assertEquals([code, stderr], [0, ""]);
  assertEquals(
    stdout,
    'InvalidStateError: Cannot run in the default executor as there is none: first call setDefaultExecutor() with a WorkerPoolExecutor, which is in "@asyncio/asyncio/threads"\n',
  );
});

Deno.test("an aborted signal ends the wait of shutdown() with its reason, and the executor is shut down", async () => {
  const executor = new WorkerPoolExecutor({ maxWorkers: 1, graceMs: 0 });
  const state = sharedState();
  const job = executor.submit(spin, state);
  await until(state, 1);
  const { signal, abort, listeners } = countingSignal();
  const reason = new Error("out of patience");
  const ending = createTask(() => executor.shutdown({ signal }));
  await sleep(0);
  abort(reason);
  assertEquals(await assertRejects(() => ending), reason);
  assertEquals(listeners(), 0);
  assertThrows(() => executor.submit(spin, state), InvalidStateError);
  await executor.shutdown({ cancelFutures: true });
  assert(job.cancelled());
});

Deno.test("an aborted signal ends the wait of shutdown() outside of any loop", async () => {
  const loop = newEventLoop();
  setEventLoop(loop);
  try {
    const executor = new WorkerPoolExecutor({ maxWorkers: 1, graceMs: 0 });
    const controller = new AbortController();
    const state = sharedState();
    let job!: Future<unknown>;
    await loop.runUntilComplete(async () => {
      job = executor.submit(spin, state);
      await until(state, 1);
    });
    const { signal } = controller;
    const ending = executor.shutdown({ signal });
    const reason = new Error("out of patience");
    controller.abort(reason);
    assertEquals(await assertRejects(() => ending), reason);
    await executor.shutdown({ cancelFutures: true });
    assert(job.cancelled());
  } finally {
    loop.close();
    setEventLoop(null);
  }
});

Deno.test("shutdown() leaves the executor open if its signal is aborted before", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  const reason = new Error("not at all");
  const signal = AbortSignal.abort(reason);
  const error = await assertRejects(() => executor.shutdown({ signal }));
  assertEquals(error, reason);
  assertEquals(await executor.submit(() => 7), 7);
});
