import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  CancelledError,
  CapacityLimiter,
  createTask,
  gather,
  run,
  sleep,
  timeout,
  TimeoutError,
  WorkerPoolExecutor,
} from "@asyncio/asyncio";
import { until } from "../_support/threads.ts";

/** How many have begun, and whether they may end. */
function twoStates(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(8));
}

/** Says that it has begun, and waits until it may end. */
function holdOn(state: Int32Array): void {
  Atomics.add(state, 0, 1);
  while (Atomics.load(state, 1) === 0) Atomics.wait(state, 1, 0);
}

function letGo(state: Int32Array): void {
  Atomics.store(state, 1, 1);
  Atomics.notify(state, 1);
}

Deno.test("the jobs of two executors share the tokens of one limiter", async () => {
  const limiter = new CapacityLimiter(1);
  await using first = new WorkerPoolExecutor({ maxWorkers: 2, limiter });
  await using second = new WorkerPoolExecutor({ maxWorkers: 2, limiter });
  const state = twoStates();
  const jobs = [
    first.submit(holdOn, state),
    first.submit(holdOn, state),
    second.submit(holdOn, state),
  ];
  await until(state, 1);
  assertEquals(first.statistics(), {
    maxWorkers: 2,
    workers: 2,
    running: 1,
    queued: 1,
  });
  assertEquals(second.statistics().queued, 1);
  assertEquals(limiter.statistics().borrowers, [jobs[0]!]);
  limiter.totalTokens = 2;
  await until(state, 2);
  assertEquals(limiter.borrowedTokens, 2);
  letGo(state);
  await gather(jobs);
  assertEquals([Atomics.load(state, 0), limiter.borrowedTokens], [3, 0]);
});

Deno.test("a job that waits for a token can be cancelled, and its worker takes the next", async () => {
  const limiter = new CapacityLimiter(1);
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1, limiter });
  const hold = await limiter.acquire();
  await assertRejects(
    () => timeout(5, () => executor.submit(() => "never")),
    TimeoutError,
  );
  const job = executor.submit(() => "next");
  assertEquals(executor.statistics().queued, 1);
  await sleep(1);
  assert(!job.done());
  hold[Symbol.dispose]();
  assertEquals(await job, "next");
  assertEquals(limiter.statistics().borrowers, []);
});

Deno.test("the token of a cancelled job comes back when its worker is done with it", async () => {
  const limiter = new CapacityLimiter(1);
  await using executor = new WorkerPoolExecutor({
    maxWorkers: 1,
    graceMs: Infinity,
    limiter,
  });
  const state = twoStates();
  const task = createTask(() => executor.submit(holdOn, state));
  await until(state, 1);
  task.cancel();
  await assertRejects(() => task, CancelledError);
  assertEquals(limiter.borrowedTokens, 1);
  const next = executor.submit(() => "next");
  letGo(state);
  assertEquals(await next, "next");
  assertEquals(limiter.borrowedTokens, 0);
});

Deno.test("the token of a worker that is ended comes back", async () => {
  const limiter = new CapacityLimiter(1);
  await using executor = new WorkerPoolExecutor({
    maxWorkers: 1,
    graceMs: 0,
    limiter,
  });
  const state = twoStates();
  const job = executor.submit(holdOn, state);
  await until(state, 1);
  job.cancel();
  assertEquals(await executor.submit(() => "next"), "next");
  assertEquals(limiter.borrowedTokens, 0);
});

Deno.test("jobs take their arguments at the call, also if they wait for a token", async () => {
  const limiter = new CapacityLimiter(0);
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1, limiter });
  const list = [1];
  const job = executor.submit((list: number[]) => list.length, list);
  list.push(2);
  assertThrows(
    () => executor.submit((fn: () => void) => fn(), () => {}),
    TypeError,
  );
  limiter.totalTokens = 1;
  assertEquals(await job, 1);
});

Deno.test("an executor that is shut down does the jobs that wait for a token", async () => {
  const limiter = new CapacityLimiter(0);
  const executor = new WorkerPoolExecutor({ maxWorkers: 1, limiter });
  const jobs = [1, 2].map((n) => executor.submit((n) => n, n));
  const end = executor.shutdown();
  limiter.totalTokens = 1;
  assertEquals(await gather(jobs), [1, 2]);
  await end;
});

Deno.test("shutdown() with cancelFutures drops the jobs that wait for a token", async () => {
  const limiter = new CapacityLimiter(0);
  const executor = new WorkerPoolExecutor({ maxWorkers: 1, limiter });
  const jobs = [1, 2].map((n) => executor.submit((n) => n, n));
  await executor.shutdown({ cancelFutures: true });
  assertEquals(jobs.map((job) => job.cancelled()), [true, true]);
  assertEquals(limiter.statistics().waiters, 0);
});

Deno.test("a job for a limiter of another loop fails", async () => {
  const limiter = new CapacityLimiter(0);
  await run(() =>
    assertRejects(() => timeout(1, () => limiter.acquire()), TimeoutError)
  );
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1, limiter });
  await run(() =>
    assertRejects(
      async () => await executor.submit(() => 1),
      Error,
      "bound to another event loop",
    )
  );
});

Deno.test("an executor refuses what is no limiter", () => {
  assertThrows(
    () => new WorkerPoolExecutor({ limiter: 4 as never }),
    TypeError,
    "Cannot create an executor as 'limiter' must be a CapacityLimiter: received 4",
  );
});
