/** Getters, which run while a value is cloned, and use the executor meanwhile. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  CapacityLimiter,
  type Future,
  gather,
  InvalidStateError,
  WorkerPoolExecutor,
} from "@asyncio/asyncio";
import { hostTimers } from "../../platform/timers.ts";
import { sharedState } from "../_support/threads.ts";

/** Submits what has a getter, which calls `use` when it first runs. */
function submitOdd(
  executor: WorkerPoolExecutor,
  use: () => void,
  error?: Error,
): Future<unknown> {
  let hasRun = false;
  const odd = {
    get field() {
      if (!hasRun) {
        hasRun = true;
        use();
      }
      if (error !== undefined) throw error;
      return "odd";
    },
  };
  return executor.submit((value: { field: string }) => value.field, odd);
}

/** The same, but the getter throws then. */
function submitBad(executor: WorkerPoolExecutor, use: () => void): void {
  const error = new Error("from the getter");
  assertThrows(
    () => submitOdd(executor, use, error),
    TypeError,
    "from the getter",
  );
}

function one(): number {
  return 1;
}

/** Makes a worker of which each job is quick, as the clock stands still. */
async function withQuickWorker(
  test: (executor: WorkerPoolExecutor) => Promise<void>,
): Promise<void> {
  const { now } = hostTimers;
  const then = now();
  hostTimers.now = () => then;
  try {
    await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
    await executor.submit(one);
    await test(executor);
  } finally {
    hostTimers.now = now;
  }
}

Deno.test("a job begins that a getter has submitted before it throws", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  const others: Future<number>[] = [];
  submitBad(executor, () => others.push(executor.submit(one)));
  const { workers, running, queued } = executor.statistics();
  assertEquals([workers, running, queued], [1, 1, 0]);
  assertEquals(await gather(others), [1]);
});

Deno.test("a worker is not idle while it has the job of a getter that throws", async () => {
  await withQuickWorker(async (executor) => {
    const others: Future<number>[] = [];
    submitBad(executor, () => others.push(executor.submit(one)));
    assertEquals(executor.statistics().running, 1);
    assertEquals(await gather(others), [1]);
    assertEquals(executor.statistics().running, 0);
  });
});

Deno.test("the job of a getter comes after the one whose argument has it", async () => {
  await withQuickWorker(async (executor) => {
    const order: string[] = [];
    const note = (job: Future<unknown>, name: string) =>
      job.addDoneCallback(() => void order.push(name));
    let other: Future<number> | undefined;
    const odd = submitOdd(executor, () => {
      // Taken back, it must not leave the worker as one that is idle.
      executor.submit(one).cancel();
      note(other = executor.submit(one), "getter");
    });
    note(odd, "odd");
    assertEquals(executor.statistics().running, 1);
    assertEquals(await gather([odd, other!]), ["odd", 1]);
    assertEquals(order, ["odd", "getter"]);
  });
});

Deno.test("a job begins whose getter has cancelled what had the worker", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  const first = executor.submit(one);
  assertEquals(await submitOdd(executor, () => first.cancel()), "odd");
});

Deno.test("shutdown() in a getter that throws ends the worker", async () => {
  const executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  let ended: Promise<void> | undefined;
  submitBad(executor, () => ended = executor.shutdown());
  await ended;
  assertEquals(executor.statistics().workers, 0);
});

Deno.test("a job whose getter has shut the executor down while it had no worker is refused", async () => {
  const executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  const first = executor.submit(one);
  assertThrows(
    () =>
      submitOdd(executor, () => {
        first.cancel();
        executor.shutdown({ wait: false });
      }),
    InvalidStateError,
    "the executor is shut down",
  );
  await executor.shutdown();
});

Deno.test("a token that a job with a bad getter had goes to the job of the getter", async () => {
  const limiter = new CapacityLimiter(1);
  await using executor = new WorkerPoolExecutor({ maxWorkers: 2, limiter });
  const others: Future<number>[] = [];
  submitBad(executor, () => others.push(executor.submit(one)));
  assertEquals(await gather(others), [1]);
  assertEquals(limiter.borrowedTokens, 0);
});

Deno.test("a getter of the reason of a cancellation finds the jobs that were sent ahead", async () => {
  await withQuickWorker(async (executor) => {
    const state = sharedState();
    const job = executor.submit((shared) => {
      Atomics.store(shared, 0, 1);
      while (Atomics.load(shared, 0) === 1);
    }, state);
    const ahead = executor.submit(one);
    while (Atomics.load(state, 0) === 0);
    job.cancel({
      get field() {
        executor.shutdown({ wait: false, cancelFutures: true });
        return "why";
      },
    });
    Atomics.store(state, 0, 2);
    assert(ahead.cancelled());
    await assertRejects(() => job);
  });
});
