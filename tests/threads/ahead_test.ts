/** Jobs that are sent to a worker before it is done with the one it has. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  BrokenWorkerError,
  type ExceptionContext,
  type Future,
  gather,
  getRunningLoop,
  run,
  sleep,
  WorkerPoolExecutor,
} from "@asyncio/asyncio";
import { hostTimers } from "../../platform/timers.ts";
import { sharedState, until } from "../_support/threads.ts";

/** Says that it runs, and goes on until it is told to end. */
function block(state: Int32Array): void {
  Atomics.store(state, 0, 1);
  while (Atomics.load(state, 0) === 1);
}

/** Lets each worker do a few quick jobs, after which they are sent ahead. */
async function warmUp(executor: WorkerPoolExecutor): Promise<void> {
  const { maxWorkers } = executor.statistics();
  for (let round = 0; round < 5; round++) {
    await gather(
      Array.from({ length: maxWorkers }, () => executor.submit(() => {})),
    );
  }
}

/** Blocks all workers; gives what each waits for. */
function blockAll(
  executor: WorkerPoolExecutor,
): [Int32Array, Future<void>][] {
  const { maxWorkers } = executor.statistics();
  return Array.from({ length: maxWorkers }, () => {
    const state = sharedState();
    return [state, executor.submit(block, state)];
  });
}

async function release(
  [state, job]: [Int32Array, Future<void>],
): Promise<void> {
  await until(state, 1);
  Atomics.store(state, 0, 2);
  await job;
}

/** Submits so many jobs, which give the even numbers from 0 on. */
function submitTwice(
  executor: WorkerPoolExecutor,
  count: number,
): Future<number>[] {
  return Array.from({ length: count }, (_, n) => executor.submit(twice, n));
}

function twice(n: number): number {
  return 2 * n;
}

/** Runs `test` in a loop whose exception handler is told of `reports`. */
async function withReports(
  test: (reports: ExceptionContext[]) => Promise<void>,
): Promise<void> {
  const reports: ExceptionContext[] = [];
  await run(async () => {
    getRunningLoop().setExceptionHandler((context) =>
      void reports.push(context)
    );
    await test(reports);
  });
}

/** Runs `test` while every job is quick, as the host's clock stands still. */
async function withoutTime(test: () => Promise<void>): Promise<void> {
  const { now } = hostTimers;
  const then = now();
  hostTimers.now = () => then;
  try {
    await test();
  } finally {
    hostTimers.now = now;
  }
}

/** Cancels a job; gives what its timer would call when the grace is over. */
function cancelWithoutTimer(job: Future<unknown>): () => void {
  const { setTimer } = hostTimers;
  const callbacks: (() => void)[] = [];
  hostTimers.setTimer = (callback) => void callbacks.push(callback);
  try {
    job.cancel();
  } finally {
    hostTimers.setTimer = setTimer;
  }
  const [callback] = callbacks;
  assert(callback !== undefined && callbacks.length === 1);
  return callback;
}

/** Waits for a worker, but lets none of its messages in. */
function blockUntil(state: Int32Array, value: number): void {
  while (Atomics.load(state, 0) !== value);
}

Deno.test("quick jobs go on while this thread does not wait", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  await withoutTime(async () => {
    await executor.submit(() => {});
    const counter = sharedState();
    const jobs = Array.from(
      { length: 5 },
      () =>
        executor.submit((shared) => void Atomics.add(shared, 0, 1), counter),
    );
    // Were they not sent ahead, this would not end.
    while (Atomics.load(counter, 0) < 5);
    await gather(jobs);
  });
});

Deno.test("quick jobs begin in their order", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  const counter = sharedState();
  await warmUp(executor);
  const results = await gather(
    Array.from(
      { length: 200 },
      () => executor.submit((shared) => Atomics.add(shared, 0, 1), counter),
    ),
  );
  assertEquals(results, Array.from({ length: 200 }, (_, index) => index));
});

Deno.test("an argument of a job sent ahead is taken at the call", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 2 });
  await warmUp(executor);
  const [first, second] = blockAll(executor);
  const list = [1];
  const jobs = Array.from(
    { length: 4 },
    () => executor.submit((mine) => mine, list),
  );
  list.push(2);
  await release(second!);
  // Some of them were taken back from the first worker, and sent once more.
  assertEquals(await gather(jobs), [[1], [1], [1], [1]]);
  await release(first!);
});

Deno.test("a job sent ahead does not wait for a slow one while a worker is free", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 2 });
  for (const [slow, free] of [[0, 1], [1, 0]] as const) {
    await warmUp(executor);
    const blocked = blockAll(executor);
    const jobs = submitTwice(executor, 12);
    assertEquals(executor.statistics().queued, 12);
    await release(blocked[free]!);
    assertEquals(
      await gather(jobs),
      Array.from({ length: 12 }, (_, n) => 2 * n),
    );
    assertEquals(executor.statistics().running, 1);
    await release(blocked[slow]!);
  }
});

Deno.test("a job sent ahead and cancelled never begins", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  const ran = sharedState();
  for (let round = 0; round < 20; round++) {
    await warmUp(executor);
    const [blocked] = blockAll(executor);
    const [before, cancelled, after] = [1, 2, 3].map((bit) =>
      executor.submit(
        (shared, bit) => void Atomics.or(shared, 0, 1 << bit),
        ran,
        bit,
      )
    );
    assert(cancelled!.cancel());
    assertEquals(executor.statistics().queued, 2);
    await release(blocked!);
    await gather([before!, after!]);
    assertEquals(ran[0], 0b1010);
  }
});

Deno.test("a job that is cancelled before it begins leaves its worker alone", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1, graceMs: 0 });
  const state = sharedState();
  await executor.submit((shared) => {
    (globalThis as { mark?: string }).mark = "the same";
    // What the worker does between two jobs.
    setTimeout(() => {
      Atomics.store(shared, 0, 1);
      while (Atomics.load(shared, 0) === 1);
    }, 0);
  }, state);
  await until(state, 1);
  executor.submit((shared) => void Atomics.store(shared, 0, 3), state).cancel();
  await sleep(1);
  Atomics.store(state, 0, 2);
  const mark = () => (globalThis as { mark?: string }).mark;
  assertEquals(await executor.submit(mark), "the same");
  assertEquals(state[0], 2);
});

Deno.test("jobs sent ahead do not wait for the grace of a cancelled one", async () => {
  await using executor = new WorkerPoolExecutor({
    maxWorkers: 2,
    graceMs: Infinity,
  });
  await warmUp(executor);
  const [first, second] = blockAll(executor);
  const jobs = submitTwice(executor, 6);
  await until(first![0], 1);
  first![1].cancel();
  await release(second!);
  assertEquals(await gather(jobs), [0, 2, 4, 6, 8, 10]);
  Atomics.store(first![0], 0, 2);
});

Deno.test("a worker that is ended hurts no job that was sent ahead", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1, graceMs: 0 });
  const followed = (job: Future<unknown>) => {
    const jobs = submitTwice(executor, 6);
    return [job, gather(jobs)] as const;
  };
  for (let round = 0; round < 3; round++) {
    await warmUp(executor);
    const [exits, others] = followed(executor.submit(() => process.exit(3)));
    await assertRejects(() => exits, BrokenWorkerError, "status 3");
    assertEquals(await others, [0, 2, 4, 6, 8, 10]);

    await warmUp(executor);
    const state = sharedState();
    const [spins, after] = followed(executor.submit(block, state));
    await until(state, 1);
    spins.cancel();
    assertEquals(await after, [0, 2, 4, 6, 8, 10]);

    await warmUp(executor);
    const [throws, last] = followed(executor.submit(() => {
      setTimeout(() => {
        throw new Error("in a timer");
      }, 0);
      return new Promise<void>(() => {});
    }));
    await assertRejects(() => throws, BrokenWorkerError, "in a timer");
    assertEquals(await last, [0, 2, 4, 6, 8, 10]);
  }
});

Deno.test("a worker that is ended hurts no job that it has done before", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  await withoutTime(async () => {
    await executor.submit(() => void Object.assign(globalThis, { mark: 1 }));
    const done = submitTwice(executor, 3);
    const [[state, spins]] = blockAll(executor) as [[Int32Array, Future<void>]];
    blockUntil(state, 1);
    const graceOver = cancelWithoutTimer(spins);
    graceOver();
    assertEquals(await gather(done), [0, 2, 4]);
  });
  const mark = () => (globalThis as { mark?: number }).mark;
  assertEquals(await executor.submit(mark), undefined);
});

Deno.test("a cancelled job that is done in time leaves its worker alone, even if this thread is too busy to hear of it", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  const state = sharedState();
  const job = executor.submit((shared) => {
    Object.assign(globalThis, { mark: 1 });
    setTimeout(() => Atomics.store(shared, 0, 3), 0);
    Atomics.store(shared, 0, 1);
    while (Atomics.load(shared, 0) === 1);
  }, state);
  await until(state, 1);
  const graceOver = cancelWithoutTimer(job);
  Atomics.store(state, 0, 2);
  blockUntil(state, 3);
  graceOver();
  const mark = () => (globalThis as { mark?: number }).mark;
  assertEquals(await executor.submit(mark), 1);
});

Deno.test("a job that its worker has not begun goes to another, unless its arguments may have changed", async () => {
  await withReports(async (reports) => {
    await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
    /** Ends the worker before it begins the job. */
    const give = async <T>(value: T): Promise<{ job: Future<Awaited<T>> }> => {
      const state = sharedState();
      await executor.submit((shared) => {
        setTimeout(() => {
          Atomics.store(shared, 0, 1);
          while (Atomics.load(shared, 0) === 1);
          throw new Error("between two jobs");
        }, 0);
      }, state);
      await until(state, 1);
      const job = executor.submit((value: T) => value, value);
      Atomics.store(state, 0, 2);
      return { job };
    };
    const fixed = await give("fixed");
    assertEquals(await fixed.job, "fixed");
    assertEquals(reports.length, 1);
    const list = [1];
    const changed = await give(list);
    list.push(2);
    await assertRejects(() => changed.job, BrokenWorkerError, "between two");
    assertEquals(reports.length, 1);
  });
});

Deno.test("a fresh worker takes over what was sent ahead to one that is busy", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 2 });
  for (const blocksFirst of [true, false]) {
    await warmUp(executor);
    const state = sharedState();
    const leave = () => executor.submit(() => process.exit(3));
    let exits = blocksFirst ? null : leave();
    const blocked = executor.submit(block, state);
    exits ??= leave();
    const [job] = submitTwice(executor, 1);
    await assertRejects(() => exits, BrokenWorkerError, "status 3");
    assertEquals(await job, 0);
    await release([state, blocked]);
  }
});

Deno.test("an error that nothing catches of one job fails no later one", async () => {
  await withReports(async (reports) => {
    await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
    for (let round = 1; round <= 5; round++) {
      await warmUp(executor);
      const careless = executor.submit(() => {
        Promise.reject(new Error("floating"));
        return "done";
      });
      const later = Array.from(
        { length: 6 },
        (_, n) =>
          executor.submit(async (n) => {
            await new Promise((resolve) => setTimeout(resolve, 1));
            return n;
          }, n),
      );
      assertEquals(await careless, "done");
      assertEquals(await gather(later), [0, 1, 2, 3, 4, 5]);
      while (reports.length < round) await sleep(1);
    }
    assertEquals(
      reports.map(({ error }) => (error as Error).message),
      Array(5).fill("floating"),
    );
  });
});

Deno.test("shutdown() waits for the jobs that were sent ahead, or cancels them", async () => {
  for (const cancelFutures of [false, true]) {
    const executor = new WorkerPoolExecutor({ maxWorkers: 2 });
    await warmUp(executor);
    const blocked = blockAll(executor);
    const jobs = submitTwice(executor, 6);
    await gather(blocked.map(([state]) => () => until(state, 1)));
    const ended = executor.shutdown({ cancelFutures });
    for (const [state] of blocked) Atomics.store(state, 0, 2);
    await ended;
    assertEquals(
      jobs.map((job) => job.cancelled() ? "cancelled" : job.result()),
      cancelFutures ? Array(6).fill("cancelled") : [0, 2, 4, 6, 8, 10],
    );
  }
});
