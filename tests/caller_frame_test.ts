import {
  asCompleted,
  Barrier,
  BrokenBarrierError,
  CancelledError,
  createTask,
  ExceptionGroup,
  gather,
  getEventLoop,
  getRunningLoop,
  PriorityQueue,
  Queue,
  QueueEmpty,
  QueueShutDown,
  run,
  sleep,
  StreamReader,
  taskGroup,
  timeout,
  timeoutAt,
  TimeoutError,
  waitFor,
} from "@asyncio/asyncio";
import * as errors from "@asyncio/asyncio/errors";
import {
  assertEquals,
  assertFalse,
  assertMatch,
  assertStrictEquals,
} from "@std/assert";
import {
  assertNamesCaller,
  type Failure,
  whileWaiting,
} from "./_support/callers.ts";
import { needs } from "./_support/runtimes.ts";
import { CALLER_FRAMES } from "../platform/limits.ts";

/** A queue is shut down while somebody waits for an item, in some way. */
function whenShutDown(
  what: string,
  get: (queue: Queue<unknown>) => Promise<unknown>,
): Failure {
  return {
    what,
    error: QueueShutDown,
    message: /Cannot get/,
    prepare() {
      const queue = new Queue();
      return whileWaiting(() => queue.shutdown(), () => get(queue));
    },
  };
}

const QUEUES: readonly Failure[] = [
  whenShutDown("get() that waits", (queue) => queue.get()),
  {
    what: "get() of a queue that is shut down",
    error: QueueShutDown,
    message: /Cannot get/,
    prepare() {
      const queue = new PriorityQueue<number>();
      queue.shutdown();
      return () => queue.get();
    },
  },
  {
    what: "get() that was granted an item",
    error: QueueShutDown,
    message: /Cannot get/,
    prepare() {
      const queue = new Queue<number>();
      return whileWaiting(() => {
        queue.putNowait(1);
        queue.shutdown({ immediate: true });
      }, () => queue.get());
    },
  },
  {
    what: "put() that waits",
    error: QueueShutDown,
    message: /Cannot put/,
    prepare() {
      const queue = new Queue<number>({ maxSize: 1 });
      queue.putNowait(1);
      return whileWaiting(() => queue.shutdown(), () => queue.put(2));
    },
  },
  {
    what: "Barrier.wait() that is aborted",
    error: BrokenBarrierError,
    message: /it is broken/,
    prepare() {
      const barrier = new Barrier(2);
      return whileWaiting(() => barrier.abort(), () => barrier.wait());
    },
  },
  {
    what: "Barrier.wait() that is reset",
    error: BrokenBarrierError,
    message: /it was reset/,
    prepare() {
      const barrier = new Barrier(2);
      return whileWaiting(() => barrier.reset(), () => barrier.wait());
    },
  },
];

const TIMES: readonly Failure[] = [
  {
    what: "timeout()",
    error: TimeoutError,
    message: /./,
    prepare: () => () => timeout(1, () => sleep(60_000)),
  },
  {
    what: "timeoutAt()",
    error: TimeoutError,
    message: /./,
    prepare: () => () =>
      timeoutAt(getEventLoop().time() + 1, () => sleep(60_000)),
  },
  {
    what: "waitFor()",
    error: TimeoutError,
    message: /./,
    prepare: () => () => waitFor(getEventLoop().createFuture(), 1),
  },
  {
    what: "asCompleted()",
    error: TimeoutError,
    message: /./,
    prepare: () => async () => {
      for await (
        const _ of asCompleted([() => sleep(60_000)], { timeout: 1 })
      );
    },
  },
  {
    what: "a promise of asCompleted()",
    error: TimeoutError,
    message: /./,
    prepare: () => () => {
      const [first] = asCompleted([() => sleep(60_000)], { timeout: 1 });
      return first as Promise<unknown>;
    },
  },
];

const GROUPS: readonly Failure[] = [
  {
    what: "taskGroup()",
    error: ExceptionGroup,
    message: /./,
    prepare: () => () =>
      taskGroup((group) => {
        group.createTask(() => Promise.reject(new Error("mine")));
      }),
  },
  whenShutDown(
    "Promise.all() of a wait",
    (queue) => Promise.all([queue.get(), sleep(1)]),
  ),
  whenShutDown(
    "Promise.race() with a wait",
    (queue) => Promise.race([queue.get(), sleep(60_000)]),
  ),
  whenShutDown(
    "a wait that others follow",
    (queue) => queue.get().then((item) => item).finally(() => {}),
  ),
];

for (const failure of [...QUEUES, ...TIMES, ...GROUPS]) {
  Deno.test(`the stack of ${failure.what} names who awaited it`, {
    ...needs(CALLER_FRAMES, failure.ignore),
  }, () => assertNamesCaller(failure));
}

// ── what stays as it is ────────────────────────────────────────────────────

Deno.test(
  "the error of a task keeps the stack of where it was thrown",
  needs(CALLER_FRAMES),
  async () => {
    async function failing() {
      const queue = new Queue();
      getRunningLoop().callSoon(() => queue.shutdown());
      await queue.get();
    }
    async function awaiting(task: PromiseLike<unknown>) {
      await task;
    }
    await run(async () => {
      const task = createTask(failing);
      await awaiting(task).catch(() => {});
      const { stack } = task.exception() as Error;
      assertMatch(stack!, /at async failing/);
      assertFalse(stack!.includes("awaiting"));
    });
  },
);

Deno.test("the error of a future keeps the stack of where it was made", async () => {
  async function awaiting(future: PromiseLike<unknown>) {
    await future;
  }
  await run(async () => {
    const future = getRunningLoop().createFuture();
    const error = new QueueEmpty("mine");
    const { stack } = error;
    getRunningLoop().callSoon(() => future.setException(error));
    assertStrictEquals(await awaiting(future).catch((each) => each), error);
    assertEquals(error.stack, stack);
  });
});

Deno.test(
  "of several that wait each has an error with its own caller",
  needs(CALLER_FRAMES),
  async () => {
    async function left(queue: Queue) {
      await queue.get();
    }
    async function right(queue: Queue) {
      await queue.get();
    }
    await run(async () => {
      const queue = new Queue();
      const tasks = [
        createTask(() => left(queue)),
        createTask(() => right(queue)),
      ];
      await sleep(0);
      queue.shutdown();
      const [one, other] = await gather(tasks, {
        returnExceptions: true,
      }) as unknown as [Error, Error];
      assertMatch(one.stack!, /at async left/);
      assertFalse(one.stack!.includes("right"));
      assertMatch(other.stack!, /at async right/);
    });
  },
);

Deno.test("a cancellation arrives as soon as it did, the same object", async () => {
  await run(async () => {
    const queue = new Queue();
    const error = new CancelledError("enough");
    const { stack } = error;
    const task = createTask(() => queue.get());
    await sleep(0);
    task.cancel(error);
    assertStrictEquals(await task.catch((each) => each), error);
    assertEquals(error.stack, stack);
  });
});

Deno.test(
  "the line that awaited comes first, not one of the library",
  needs(CALLER_FRAMES),
  async () => {
    async function getting(queue: Queue) {
      await queue.get();
    }
    await run(async () => {
      const queue = new Queue();
      const task = createTask(() => getting(queue));
      await sleep(0);
      queue.shutdown();
      await task.catch(() => {});
      const { stack } = task.exception() as Error;
      assertMatch(stack!.split("\n")[1]!, /^ +at async getting /);
    });
  },
);

Deno.test("an error that only callbacks wait for has its message", async () => {
  await run(async () => {
    const queue = new Queue();
    getRunningLoop().callSoon(() => queue.shutdown());
    const error = await new Promise<Error>((resolve) => {
      queue.get().catch(resolve);
    });
    assertMatch(error.stack!, /^QueueShutDown: Cannot get/);
  });
});

// ── what it costs ──────────────────────────────────────────────────────────

/** How many errors the library made, and stacks it took, while `body` ran. */
async function countErrors(body: () => Promise<void>): Promise<number> {
  let count = 0;
  class Counted extends Error {
    constructor(message?: string, options?: ErrorOptions) {
      super(message, options);
      count++;
    }
  }
  // What a class calls by `super` is looked up on each call.
  const classes = Object.values(errors).filter((each) =>
    Object.getPrototypeOf(each) === Error
  );
  const host = Error as unknown as { captureStackTrace(error: object): void };
  const { captureStackTrace } = host;
  host.captureStackTrace = (...args) => {
    count++;
    captureStackTrace.apply(Error, args);
  };
  for (const each of classes) Object.setPrototypeOf(each, Counted);
  try {
    await body();
  } finally {
    host.captureStackTrace = captureStackTrace;
    for (const each of classes) Object.setPrototypeOf(each, Error);
  }
  return count;
}

async function useEverything(): Promise<void> {
  const queue = new Queue<number>({ maxSize: 1 });
  const barrier = new Barrier(2);
  const reader = new StreamReader();
  for (let i = 0; i < 1000; i++) {
    const got = createTask(() => queue.get());
    await queue.put(i);
    await got;
    await gather([() => barrier.wait(), () => barrier.wait()]);
    getRunningLoop().callSoon(() => reader.feedData(new Uint8Array(4)));
    await reader.readExactly(4);
    await timeout(1000, () => sleep(0));
  }
}

Deno.test("where nothing fails, no error is made and no stack is taken", async () => {
  await run(async () => {
    assertEquals(await countErrors(useEverything), 0);
    const failing = async () => {
      const [failure] = QUEUES;
      const operation = await failure!.prepare(() => {});
      await operation().catch(() => {});
    };
    assertEquals(await countErrors(failing), 2);
  });
});
