import {
  allTasks,
  CancelledError,
  ContextVar,
  createTask,
  currentTask,
  type ExceptionContext,
  gather,
  getRunningLoop,
  newEventLoop,
  runVirtual,
  sleep,
  type Task,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { collectReports, turns, virtual } from "../_support/virtual.ts";

Deno.test(
  "E1 an eager task runs to its first wait inside of createTask()",
  virtual(async () => {
    const seen: string[] = [];
    const task = createTask(async () => {
      seen.push("begins");
      await sleep(5);
      seen.push("goes on");
      return "done";
    }, { eagerStart: true });
    seen.push("creator");
    assertEquals(seen, ["begins", "creator"]);
    assert(allTasks().has(task));
    assertEquals(await task, "done");
    assertEquals(seen, ["begins", "creator", "goes on"]);
  }),
);

Deno.test(
  "E1 an eager task that finishes at once is done and not listed",
  virtual(async () => {
    const task = createTask(() => 5, { eagerStart: true });
    assert(task.done());
    assertEquals(task.result(), 5);
    assertFalse(allTasks().has(task));
    assertEquals(await task, 5);
  }),
);

Deno.test(
  "E1 the done callbacks of a task that finished at once are called from the loop",
  virtual(async () => {
    const seen: string[] = [];
    const task = createTask(() => 5, { eagerStart: true });
    task.addDoneCallback(() => seen.push("callback"));
    seen.push("creator");
    await turns(2);
    assertEquals(seen, ["creator", "callback"]);
  }),
);

Deno.test(
  "E2 currentTask() is the new task during the eager step, and restored after",
  virtual(async () => {
    const creator = currentTask();
    const seen: (Task | null)[] = [];
    const outer = createTask(async () => {
      seen.push(currentTask());
      const inner = createTask(() => {
        seen.push(currentTask());
      }, { eagerStart: true, name: "inner" });
      seen.push(currentTask());
      await inner;
      seen.push(currentTask());
    }, { eagerStart: true, name: "outer" });
    assertStrictEquals(currentTask(), creator);
    await outer;
    assertStrictEquals(currentTask(), creator);
    assertEquals(seen.map((each) => each?.name), [
      "outer",
      "inner",
      "outer",
      "outer",
    ]);
  }),
);

Deno.test(
  "E2 currentTask() is restored where the eager step throws",
  virtual(async () => {
    const creator = currentTask();
    const task = createTask(() => {
      throw new RangeError("early");
    }, { eagerStart: true });
    assertStrictEquals(currentTask(), creator);
    await assertRejects(() => task, RangeError, "early");
  }),
);

Deno.test(
  "E3 an error before the first wait is the task's, not thrown at its creator",
  virtual(async () => {
    const error = new RangeError("early");
    for (
      const fn of [
        () => {
          throw error;
        },
        () => Promise.reject(error),
      ]
    ) {
      const task = createTask(fn, { eagerStart: true });
      assertStrictEquals(await assertRejects(() => task), error);
      assertThrows(() => task.result(), RangeError, "early");
    }
  }),
);

Deno.test("E3 an error of an eager task that nobody asks for is reported", async () => {
  let reports: ExceptionContext[] = [];
  await runVirtual(() => {
    reports = collectReports();
    createTask(() => Promise.reject(new Error("lost")), { eagerStart: true });
    return sleep(1);
  });
  assertEquals(reports.map(({ error }) => (error as Error).message), ["lost"]);
});

Deno.test(
  "E4 eagerStart is for one call, and the next task starts as ever",
  virtual(async () => {
    const seen: string[] = [];
    const add = (name: string) => () => void seen.push(name);
    const tasks = [
      createTask(add("lazy")),
      createTask(add("eager"), { eagerStart: true }),
      createTask(add("lazy, too"), { eagerStart: false }),
    ];
    seen.push("creator");
    await gather(tasks);
    assertEquals(seen, ["eager", "creator", "lazy", "lazy, too"]);
  }),
);

Deno.test(
  "E4 a task factory that starts tasks eagerly makes all of them so",
  virtual(async () => {
    const loop = getRunningLoop();
    loop.setTaskFactory((loop, fn, options) =>
      loop.createTask(fn, { eagerStart: true, ...options })
    );
    const seen: string[] = [];
    const outer = createTask(() => {
      seen.push("outer");
      const inner = createTask(() => void seen.push("inner"));
      seen.push("outer goes on");
      return inner;
    });
    const lazy = createTask(() => void seen.push("lazy"), {
      eagerStart: false,
    });
    seen.push("creator");
    loop.setTaskFactory(null);
    await gather([outer, lazy]);
    assertEquals(seen, ["outer", "inner", "outer goes on", "creator", "lazy"]);
  }),
);

Deno.test(
  "a task factory may create other tasks beside the one it was asked for",
  virtual(async () => {
    const loop = getRunningLoop();
    const seen: string[] = [];
    loop.setTaskFactory((loop, fn, options) => {
      loop.createTask(() => void seen.push("beside"));
      return loop.createTask(fn, { ...options, name: "made" });
    });
    const task = createTask(() => void seen.push(currentTask()!.name));
    loop.setTaskFactory(null);
    await task;
    assertEquals(seen, ["beside", "made"]);
    loop.setTaskFactory(() => {
      throw new RangeError("no");
    });
    assertThrows(() => createTask(() => 1), RangeError, "no");
    assertThrows(() => createTask(() => 1), RangeError, "no");
    loop.setTaskFactory(null);
  }),
);

Deno.test(
  "an eager task runs in a copy of its creator's context, from its first line",
  virtual(async () => {
    const variable = new ContextVar("variable", { defaultValue: "nothing" });
    variable.set("creator's");
    const task = createTask(async () => {
      const before = variable.get();
      variable.set("task's");
      await sleep(1);
      return [before, variable.get()];
    }, { eagerStart: true });
    assertEquals(variable.get(), "creator's");
    assertEquals(await task, ["creator's", "task's"]);
  }),
);

Deno.test(
  "an eager task is cancelled at its first wait, and by a timeout around it",
  virtual(async () => {
    const task = createTask(() => sleep(60_000), { eagerStart: true });
    task.cancel();
    await assertRejects(() => task, CancelledError);
    await assertRejects(
      () =>
        timeout(
          5,
          () => createTask(() => sleep(60_000), { eagerStart: true }),
        ),
      TimeoutError,
    );
  }),
);

Deno.test(
  "an eager task that cancels itself before its first wait is cancelled there",
  virtual(async () => {
    const seen: string[] = [];
    const task = createTask(async () => {
      currentTask()!.cancel("itself");
      seen.push("goes on");
      await sleep(5);
      seen.push("never");
    }, { eagerStart: true });
    await assertRejects(() => task, CancelledError, "itself");
    assertEquals(seen, ["goes on"]);
  }),
);

Deno.test("an eager task of a loop that does not run starts once it runs", async () => {
  const loop = newEventLoop();
  const seen: string[] = [];
  const task = loop.createTask(() => seen.push("task"), { eagerStart: true });
  seen.push("creator");
  await loop.runUntilComplete(task);
  assertEquals(seen, ["creator", "task"]);
  loop.close();
});

Deno.test(
  "a task keeps its name where the factory ignores it, unless that gives one",
  virtual(async () => {
    const loop = getRunningLoop();
    loop.setTaskFactory((loop, fn) => loop.createTask(fn));
    const named = createTask(() => {}, { name: "named" });
    const unnamed = createTask(() => {});
    loop.setTaskFactory((loop, fn, options) =>
      loop.createTask(fn, { ...options, name: `my ${options.name}` })
    );
    const renamed = createTask(() => {}, { name: "task" });
    loop.setTaskFactory(null);
    assertEquals([named.name, renamed.name], ["named", "my task"]);
    assert(/^Task-\d+$/.test(unnamed.name));
    await turns(2);
  }),
);
