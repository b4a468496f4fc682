import {
  createTask,
  type Future,
  gather,
  getRunningLoop,
  newEventLoop,
  run,
  shield,
  sleep,
  type Task,
  type TaskFunction,
  taskGroup,
  timeout,
  VirtualClock,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { collectReports, virtual } from "../_support/virtual.ts";

/** Many times what a stack holds. */
const DEEP = 20_000;

/** The last of many tasks, each of which awaits the one before. */
function chain(
  length: number,
  { create = createTask, before = () => sleep(60_000) }: {
    create?: (fn: TaskFunction<unknown>) => Task<unknown>;
    before?: () => PromiseLike<unknown>;
  } = {},
): Task<unknown> {
  let last = create(before);
  while (length-- > 0) {
    const awaited = last;
    last = create(async () => await awaited);
  }
  return last;
}

/** A function in blocks in blocks, with something that waits in the innermost. */
async function nested(
  depth: number,
  block: (fn: () => Promise<unknown>) => Promise<unknown>,
): Promise<unknown> {
  await null;
  return depth === 0
    ? await sleep(60_000)
    : await block(() => nested(depth - 1, block));
}

/** Runs `main` in virtual time; gives what was reported. */
async function reportsOf(main: () => Promise<unknown>): Promise<string[]> {
  const reports: string[] = [];
  const loop = newEventLoop({ clock: new VirtualClock() });
  loop.setExceptionHandler(({ message, error }) => {
    reports.push(`${message}: ${error}`);
  });
  await run(main, { loop });
  return reports;
}

async function isCancelledAtOnce(future: Future<unknown>): Promise<void> {
  assert(future.cancel());
  await future.catch(() => {});
  assert(future.cancelled());
}

Deno.test(
  "cancel() goes down a chain of tasks that is longer than the stack is deep",
  virtual(async () => {
    const last = chain(DEEP);
    await sleep(1);
    assertMatch(
      String(last),
      /^<Task pending name="Task-\d+" waiting for <Task/,
    );
    await isCancelledAtOnce(last);
  }),
);

Deno.test(
  "cancel() goes down to a task that each has started inside of the other",
  virtual(async () => {
    const outer = createTask(() =>
      nested(DEEP, async (fn) => await createTask(fn))
    );
    await sleep(1);
    await isCancelledAtOnce(outer);
  }),
);

Deno.test(
  "cancel() goes through blocks that are nested deeper than the stack is",
  virtual(async () => {
    for (
      const block of [
        (fn: () => Promise<unknown>) => timeout(90_000, fn),
        (fn: () => Promise<unknown>) => taskGroup(fn),
        (fn: () => Promise<unknown>) =>
          taskGroup((group) => {
            group.createTask(fn);
          }),
      ]
    ) {
      const task = createTask(() => nested(10_000, block));
      await sleep(1);
      assertEquals(task.getStack().length, 1);
      await isCancelledAtOnce(task);
    }
  }),
);

Deno.test(
  "cancel() goes through gather() in gather(), and ends at a shield()",
  virtual(async () => {
    const task = createTask(() => sleep(60_000));
    let gathered: Future<unknown> = task;
    let shielded: Future<unknown> = createTask(() => sleep(1));
    for (let i = 0; i < DEEP; i++) {
      gathered = gather([gathered]);
      shielded = shield(shielded);
    }
    await isCancelledAtOnce(gathered);
    assert(task.cancelled());
    await isCancelledAtOnce(shielded);
  }),
);

Deno.test(
  "gather().cancel() says whether one of those below was still to be cancelled",
  virtual(async () => {
    const done = createTask(() => "done");
    await done;
    const inner = gather([done]);
    const outer = gather([inner, done]);
    assertEquals(outer.cancel(), false);
    assertEquals(await outer, [["done"], "done"]);
  }),
);

Deno.test(
  "a chain in a group is cancelled with the group, each once",
  virtual(async () => {
    let unwound = 0;
    await taskGroup(async (group) => {
      chain(DEEP, {
        create: (fn) =>
          group.createTask(async () => {
            try {
              return await fn();
            } finally {
              unwound++;
            }
          }),
      });
      await sleep(1);
      group.cancel();
    });
    assertEquals(unwound, DEEP + 1);
  }),
);

Deno.test("run() cleans up a chain that is longer than the stack is deep", async () => {
  let isUnrelatedClean = false;
  const reports = await reportsOf(async () => {
    chain(DEEP);
    createTask(async () => {
      try {
        await sleep(60_000);
      } finally {
        isUnrelatedClean = true;
      }
    });
    await sleep(1);
  });
  assert(isUnrelatedClean);
  assertEquals(reports, []);
});

Deno.test("run() cleans up tasks that await each other in ever so many ways", async () => {
  const reports = await reportsOf(async () => {
    let layer: Future<unknown>[] = [createTask(() => sleep(60_000))];
    for (let i = 0; i < 60; i++) {
      const below = layer;
      layer = [1, 2].map(() => createTask(async () => await gather(below)));
    }
    await sleep(1);
  });
  assertEquals(reports, []);
});

Deno.test(
  "cancel() comes to an end where very many tasks await each other in a ring",
  virtual(async () => {
    for (const size of [2, 3, 200, 5_000]) {
      const tasks: Task<unknown>[] = [];
      for (let i = 0; i < size; i++) {
        tasks.push(createTask(async () => await tasks[(i + 1) % size]));
      }
      await sleep(1);
      assert(tasks[0]!.cancel());
      await gather(tasks, { returnExceptions: true });
      assert(tasks.every((task) => task.cancelled()));
    }
  }),
);

Deno.test(
  "cancel() counts a request as often as it comes, down a chain of some length",
  virtual(async () => {
    const tasks: Task<unknown>[] = [];
    await taskGroup(async (group) => {
      chain(20, {
        create: (fn) => {
          const task = group.createTask(fn);
          tasks.push(task);
          return task;
        },
      });
      await sleep(1);
      group.cancel();
      assertEquals(
        tasks.map((task) => task.cancelling()),
        Array.from({ length: 21 }, (_, i) => 21 - i),
      );
    });
  }),
);

Deno.test(
  "a task deep down that declines gives its value all the way up",
  virtual(async () => {
    const last = chain(1000, {
      before: () => sleep(60_000).then(() => "late", () => "declined"),
    });
    await sleep(1);
    assert(last.cancel());
    assertEquals(await last, "declined");
    assertEquals(last.cancelling(), 1);
  }),
);

/** A future whose cancelling throws. */
function unwilling(): Future<unknown> {
  const future = getRunningLoop().createFuture<unknown>();
  future.cancel = () => {
    throw new RangeError("not now");
  };
  return future;
}

const ASKED = "A future threw when it was asked to cancel: RangeError: not now";
const AWAITED =
  "What was waited for threw when it was cancelled: RangeError: not now";

Deno.test(
  "a future that throws when it is cancelled does not keep its waiter",
  virtual(async () => {
    const reports = collectReports();
    const future = unwilling();
    for (const depth of [0, 200]) {
      const last = chain(depth, { before: async () => await future });
      await sleep(1);
      await isCancelledAtOnce(last);
    }
    assertEquals(
      reports.map(({ message, error }) => `${message}: ${error}`),
      [AWAITED, AWAITED],
    );
    future.setResult(1);
  }),
);

Deno.test(
  "a future that throws when it is cancelled does not keep gather() from the others",
  virtual(async () => {
    const reports = collectReports();
    const future = unwilling();
    const task = createTask(() => sleep(60_000));
    const gathered = gather([future, task]);
    assert(gathered.cancel());
    future.setResult(1);
    await gathered.catch(() => {});
    assert(gathered.cancelled() && task.cancelled());
    assertEquals(reports.length, 1);
  }),
);

Deno.test("a task that throws when it is cancelled does not keep run() from the others", async () => {
  const unwound: number[] = [];
  const reports = await reportsOf(async () => {
    for (let i = 0; i < 3; i++) {
      const task = createTask(async () => {
        try {
          await sleep(1000);
        } finally {
          unwound.push(i);
        }
      });
      if (i === 1) task.cancel = unwilling().cancel;
    }
    await sleep(1);
  });
  assertEquals(unwound.toSorted(), [0, 1, 2]);
  assertEquals(reports, [ASKED]);
});

Deno.test(
  "a task that throws when it is cancelled does not keep a group from the others",
  virtual(async () => {
    const reports = collectReports();
    const tasks: Task<unknown>[] = [];
    await taskGroup((group) => {
      for (let i = 0; i < 3; i++) {
        tasks.push(group.createTask(() => sleep(1000)));
      }
      tasks[1]!.cancel = unwilling().cancel;
      group.cancel();
    });
    assertEquals(
      tasks.map((task) => task.cancelled()),
      [true, false, true],
    );
    assertEquals(reports.length, 1);
  }),
);

Deno.test(
  "a signal's listener does not end the program where cancelling throws",
  virtual(async () => {
    const reports = collectReports();
    const controller = new AbortController();
    const { signal } = controller;
    const unable = createTask(() => sleep(1), { signal });
    unable.cancel = unwilling().cancel;
    const gathered = gather([() => sleep(1)], { signal });
    gathered.cancel = unwilling().cancel;
    const task = createTask(() => sleep(60_000), { signal });
    controller.abort();
    await task.catch(() => {});
    assert(task.cancelled());
    await gather([unable, gathered]);
    assertEquals(reports.length, 2);
  }),
);
