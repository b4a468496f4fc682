import {
  type CancelledError,
  createTask,
  type ExceptionContext,
  type Future,
  gather,
  getRunningLoop,
  type Handle,
  type Instrument,
  newEventLoop,
  Queue,
  runVirtual,
  sleep,
  StreamReader,
  type Task,
  VirtualClock,
  type WaitInfo,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertMatch,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { collectReports, turns, virtual } from "../_support/virtual.ts";

/** Runs `body` while `instrument` watches its loop, and stops that after. */
async function watched(
  instrument: Instrument,
  body: () => PromiseLike<unknown> | unknown,
): Promise<void> {
  const loop = getRunningLoop();
  loop.addInstrument(instrument);
  await body();
  loop.removeInstrument(instrument);
}

Deno.test(
  "taskCreated() and taskEnded() are called once a task, whatever its outcome",
  virtual(async () => {
    const seen: string[] = [];
    const created: Task[] = [];
    await watched({
      taskCreated(task) {
        created.push(task);
        seen.push(`created ${task.name}, done: ${task.done()}`);
      },
      taskEnded: (task) => seen.push(`ended ${task}`),
    }, async () => {
      const fine = createTask(() => sleep(1, "x"), { name: "fine" });
      const failed = createTask(() => Promise.reject(new Error("no")), {
        name: "failed",
      });
      const cancelled = createTask(() => sleep(60_000), { name: "cancelled" });
      const never = createTask(() => 1, { name: "never started" });
      assertEquals(created, [fine, failed, cancelled, never]);
      never.cancel();
      await turns(2);
      cancelled.cancel();
      await assertRejects(() => failed);
      await fine;
      await turns(2);
    });
    assertEquals(seen, [
      "created fine, done: false",
      "created failed, done: false",
      "created cancelled, done: false",
      "created never started, done: false",
      `ended <Task failed Error: no name="failed">`,
      `ended <Task cancelled name="never started">`,
      `ended <Task cancelled name="cancelled">`,
      `ended <Task finished "x" name="fine">`,
    ]);
  }),
);

Deno.test(
  "taskCancelRequested() is called for each request, with its error",
  virtual(async () => {
    const requests: [Task, CancelledError][] = [];
    const task = createTask(() => sleep(60_000));
    await watched({
      taskCancelRequested: (...request) => requests.push(request),
    }, async () => {
      await turns(1);
      task.cancel("once");
      task.cancel("twice");
      await assertRejects(() => task);
      task.cancel("too late");
    });
    assertEquals(requests.map(([, error]) => error.message), ["once", "twice"]);
    assert(requests.every(([each]) => each === task));
  }),
);

Deno.test(
  "futureCreated() is called for futures, not for tasks",
  virtual(async () => {
    const created: Future[] = [];
    await watched({ futureCreated: (future) => created.push(future) }, () => {
      createTask(() => {});
      const future = getRunningLoop().createFuture();
      assertEquals(created.length, 1);
      assertStrictEquals(created[0], future);
    });
  }),
);

Deno.test(
  "handleCreated() is called for each callback, also a timed one",
  virtual(async () => {
    const created: Handle[] = [];
    await watched({ handleCreated: (handle) => created.push(handle) }, () => {
      const loop = getRunningLoop();
      const handles = [
        loop.callSoon(() => {}),
        loop.callLater(5, () => {}),
        loop.callAt(5, () => {}),
      ];
      assertEquals(created.length, 3);
      handles.forEach((each, index) =>
        assertStrictEquals(created[index], each)
      );
    });
    await sleep(10);
  }),
);

Deno.test(
  "waitStarted() and waitEnded() are called with the same object",
  virtual(async () => {
    const started: WaitInfo[] = [];
    const ended: WaitInfo[] = [];
    let task: Task | undefined;
    await watched({
      waitStarted: (wait) => started.push(wait),
      waitEnded: (wait) => ended.push(wait),
    }, async () => {
      task = createTask(async () => {
        await sleep(5);
        await new Queue().get();
      });
      await sleep(10);
      task.cancel();
      await assertRejects(() => task!);
    });
    const ofTask = started.filter((wait) => wait.task === task);
    assertEquals(ofTask.map(({ what }) => what), ["sleep(5)", "Queue.get"]);
    assert(ofTask.every((wait) => ended.includes(wait)));
    assertEquals(new Set(ended), new Set(started));
  }),
);

Deno.test(
  "a wait that begins tells what it waits for, whatever that is",
  virtual(async () => {
    const begun: string[] = [];
    await watched({
      waitStarted: ({ what }) => begun.push(what),
    }, async () => {
      const reader = new StreamReader();
      const future = getRunningLoop().createFuture<void>();
      const tasks = [
        createTask(() => sleep(0)),
        createTask(() => sleep(5)),
        createTask(() => new Queue().get()),
        createTask(() => reader.readLine()),
        createTask(() => future),
      ];
      begun.length = 0;
      await sleep(10);
      for (const task of tasks) task.cancel();
    });
    assertEquals(begun.slice(0, 6), [
      "sleep(10)",
      "sleep(0)",
      "sleep(5)",
      "Queue.get",
      "StreamReader.readLine",
      "<Future pending>",
    ]);
  }),
);

Deno.test(
  "waits of code in no task have no task",
  async () => {
    const tasks: unknown[] = [];
    const loop = newEventLoop({ clock: new VirtualClock() });
    loop.addInstrument({ waitStarted: ({ task }) => tasks.push(task) });
    loop.callSoon(() => {
      sleep(1).then(() => loop.stop());
    });
    await loop.runForever();
    loop.close();
    assertEquals(tasks, [null]);
  },
);

Deno.test(
  "stepEnded() is called for each step, with its task and its length",
  virtual(async () => {
    const seen: string[] = [];
    const lengths: number[] = [];
    let task: Task | undefined;
    await watched({
      stepEnded({ task: each, what }, ms) {
        lengths.push(ms);
        if (each === task) seen.push(what);
        else if (what.startsWith("<Handle")) seen.push(what);
      },
    }, async () => {
      task = createTask(() => sleep(5), { name: "watched" });
      getRunningLoop().callSoon(function tick() {});
      await sleep(10);
    });
    assertEquals(seen, [
      `the first step of <Task pending name="watched" waiting for sleep(5)>`,
      "<Handle done>",
      // Its time has come, and then it wakes.
      `<Task pending name="watched" waiting for sleep(5)> after sleep(5)`,
      `<Task finished undefined name="watched"> after sleep(5)`,
    ]);
    for (const ms of lengths) assertGreaterOrEqual(ms, 0);
  }),
);

Deno.test(
  "taskStarted() is called when a task starts, before its function",
  virtual(async () => {
    const seen: string[] = [];
    await watched({
      taskCreated: ({ name }) => seen.push(`${name} created`),
      taskStarted: ({ name }) => seen.push(`${name} started`),
    }, async () => {
      const run = (name: string) => () => void seen.push(`${name} runs`);
      const late = createTask(run("late"), { name: "late" });
      const eager = createTask(run("eager"), {
        name: "eager",
        eagerStart: true,
      });
      await late;
      await eager;
    });
    assertEquals(seen, [
      "late created",
      "eager created",
      "eager started",
      "eager runs",
      "late started",
      "late runs",
    ]);
  }),
);

Deno.test(
  "waitDecided() tells who has ended a wait: code of a task, or the end of one",
  virtual(async () => {
    const seen: string[] = [];
    await watched({
      waitDecided({ task, what }, by) {
        const name = by === null ? "the host" : (by as Task).name ?? "a future";
        seen.push(`${task?.name}'s ${what.split(" ")[0]}: ${name}`);
      },
    }, async () => {
      const queue = new Queue<number>();
      const getter = createTask(() => queue.get(), { name: "getter" });
      const napper = createTask(() => sleep(60_000), { name: "napper" });
      const waiter = createTask(async () => await getter, { name: "waiter" });
      const group = createTask(() => gather([() => sleep(2)]), {
        name: "gatherer",
      });
      await createTask(async () => {
        await sleep(1);
        queue.putNowait(1);
        napper.cancel();
      }, { name: "doer" });
      await waiter;
      await group;
      getRunningLoop().callLater(1, () => queue.putNowait(2));
      await createTask(() => queue.get(), { name: "last" });
    });
    const others = seen.filter((line) => !line.startsWith("Task-"));
    assertEquals(others.slice(0, 3), [
      "getter's Queue.get: doer",
      "napper's sleep(60000): doer",
      "waiter's <Task: getter",
    ]);
    assertMatch(others[3]!, /^gatherer's <Future: Task-\d+$/);
    assertEquals(others.slice(4), ["last's Queue.get: the host"]);
  }),
);

Deno.test(
  "callbackStarted() and callbackEnded() are called around a callback, which may throw",
  virtual(async () => {
    collectReports();
    const seen: string[] = [];
    await watched({
      callbackStarted: (handle) => seen.push(`started ${handle}`),
      callbackEnded: (handle) => seen.push(`ended ${handle}`),
    }, async () => {
      const loop = getRunningLoop();
      loop.callSoon(() => seen.push("runs"));
      loop.callLater(1, () => {
        throw new Error("no");
      });
      loop.callSoon(() => seen.push("never")).cancel();
      await sleep(2);
    });
    assertEquals(seen, [
      "started <Handle done>",
      "runs",
      "ended <Handle done>",
      "started <TimerHandle done>",
      "ended <TimerHandle done>",
    ]);
  }),
);

Deno.test(
  "turnEnded() is called when the loop had to give the host a turn, loopIdle() when nothing is ready",
  virtual(async () => {
    let [ended, idle] = [0, 0];
    await watched({
      turnEnded: () => void ended++,
      loopIdle: () => void idle++,
    }, async () => {
      const busy = createTask(() => turns(1000));
      const other = createTask(() => turns(1000));
      await busy;
      await other;
      const before = idle;
      await sleep(5);
      assertGreaterOrEqual(idle, before + 1);
    });
    assertGreaterOrEqual(ended, 5);
  }),
);

const EVERY_HOOK = [
  "taskCreated",
  "taskStarted",
  "taskEnded",
  "taskCancelRequested",
  "futureCreated",
  "handleCreated",
  "waitStarted",
  "waitDecided",
  "waitEnded",
  "callbackStarted",
  "callbackEnded",
  "turnEnded",
  "loopIdle",
  "stepEnded",
] as const;

Deno.test.each(EVERY_HOOK)(
  "an instrument whose %s() throws is reported and removed",
  async (name) => {
    const reports: ExceptionContext[] = [];
    const error = new Error("broken");
    let calls = 0;
    const others: string[] = [];
    await runVirtual(async () => {
      const loop = getRunningLoop();
      loop.setExceptionHandler((context) => reports.push(context));
      loop.addInstrument({
        [name]: () => {
          calls++;
          throw error;
        },
      });
      loop.addInstrument({ [name]: () => others.push(name) });
      for (let i = 0; i < 3; i++) {
        const task = createTask(() => sleep(60_000));
        loop.createFuture();
        loop.callSoon(() => {});
        await turns(300);
        await sleep(1);
        task.cancel();
        await assertRejects(() => task);
      }
    });
    assertEquals(calls, 1);
    assertGreaterOrEqual(others.length, 3);
    assertEquals(reports.map(({ message }) => message), [
      `The instrument's ${name} threw and was removed`,
    ]);
    assertStrictEquals(reports[0]!.error, error);
  },
);

Deno.test(
  "a removed instrument is called no more, and the others still are",
  virtual(async () => {
    const reports = collectReports();
    const loop = getRunningLoop();
    const counts = [0, 0];
    const [first, second] = [0, 1].map((index): Instrument => ({
      taskCreated: () => counts[index]!++,
      stepEnded: () => {},
    }));
    loop.addInstrument(first!);
    loop.addInstrument(second!);
    await createTask(() => {});
    loop.removeInstrument(first!);
    await createTask(() => {});
    loop.removeInstrument(second!);
    loop.removeInstrument(second!);
    await createTask(() => {});
    assertEquals(counts, [1, 2]);
    assertEquals(reports, []);
  }),
);

Deno.test(
  "an instrument may remove itself, and add another, while it is called",
  virtual(async () => {
    const loop = getRunningLoop();
    const seen: string[] = [];
    const second: Instrument = { taskCreated: () => seen.push("second") };
    const first: Instrument = {
      taskCreated() {
        seen.push("first");
        loop.removeInstrument(first);
        loop.addInstrument(second);
      },
    };
    loop.addInstrument(first);
    await createTask(() => {});
    await createTask(() => {});
    loop.removeInstrument(second);
    assertEquals(seen, ["first", "second"]);
  }),
);
