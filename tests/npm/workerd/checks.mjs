// What a worker of workerd does with the package. Each check is a function that
// throws where something is wrong, and gets the request's loop by run().
import {
  Barrier,
  Condition,
  ContextVar,
  createTask,
  currentTask,
  Event,
  gather,
  getRunningLoop,
  isCancelledError,
  Lock,
  moveOnAfter,
  openConnection,
  Queue,
  run,
  Semaphore,
  shield,
  sleep,
  startServer,
  taskGroup,
  timeout,
  TimeoutError,
  toThread,
  waitFor,
} from "@asyncio/asyncio";
import { createSubprocessExec } from "@asyncio/asyncio/subprocess";
import { exploreSchedules, runVirtual } from "@asyncio/asyncio/testing";
import { prefork } from "@asyncio/asyncio/workers";

function equal(actual, expected) {
  const [found, wanted] = [actual, expected].map((each) =>
    JSON.stringify(each)
  );
  if (found !== wanted) throw new Error(`${found} is not ${wanted}`);
}

/** What `fn` throws, as text. */
async function thrown(fn) {
  try {
    await fn();
  } catch (error) {
    return String(error);
  }
  return "nothing";
}

const level = new ContextVar("level", { defaultValue: 0 });

/** Made while the worker loads, when there are no timers. */
const shared = new Lock();
const atLoad = thrown(() => createTask(async () => {}));

const inLoop = {
  async "tasks run beside each other and know their names"() {
    const names = [];
    const isDone = new Event();
    const work = (wait) => async () => {
      await wait();
      names.push(currentTask().name);
      await Promise.resolve();
      return currentTask().name;
    };
    const tasks = [
      createTask(work(() => isDone.wait()), { name: "late" }),
      createTask(work(() => sleep(1).then(() => isDone.set())), {
        name: "early",
      }),
    ];
    equal(await gather(tasks), ["late", "early"]);
    equal(names, ["early", "late"]);
  },

  async "context variables stay in their tasks"() {
    level.set(1);
    const seen = [];
    const work = (own) => async () => {
      seen.push(level.get());
      level.set(own);
      await sleep(1);
      await Promise.resolve();
      seen.push(level.get());
    };
    await gather([createTask(work(2)), createTask(work(3))]);
    equal(seen, [1, 1, 2, 3]);
    equal(level.get(), 1);
  },

  async "callbacks keep their changes to themselves"() {
    level.set(1);
    const seen = [];
    const loop = getRunningLoop();
    for (const own of [2, 3]) {
      loop.callSoon(() => {
        seen.push(level.get(), currentTask());
        level.set(own);
      });
    }
    await sleep(0);
    await sleep(0);
    equal(seen, [1, null, 1, null]);
    equal([level.get(), currentTask() !== null], [1, true]);
  },

  async "a callback of a future is no code of the task that settles it"() {
    const future = getRunningLoop().createFuture();
    const seen = [];
    future.addDoneCallback(() => seen.push(currentTask()));
    const mine = currentTask();
    future.setResult(1);
    await future;
    await sleep(0);
    equal(seen, [null]);
    equal(currentTask() === mine, true);
  },

  async "a task is cancelled where it waits"() {
    const log = [];
    const task = createTask(async () => {
      try {
        await sleep(60_000);
      } finally {
        log.push("cleaned up");
      }
    });
    await sleep(0);
    task.cancel();
    await task.catch((error) => log.push(isCancelledError(error)));
    equal(log, ["cleaned up", true]);
  },

  async "timeouts pass, and shields hold"() {
    const late = await thrown(() => timeout(1, () => sleep(60_000)));
    equal(late.startsWith("TimeoutError: "), true);
    const inner = createTask(() => sleep(5, "done"));
    await waitFor(shield(inner), 1).catch((error) =>
      equal(error instanceof TimeoutError, true)
    );
    equal(await inner, "done");
    await moveOnAfter(1, () => sleep(60_000));
  },

  async "a group ends its tasks with the first that fails"() {
    let ended = 0;
    const text = await thrown(() => taskGroup(async (group) => {
      for (let n = 0; n < 3; n++) {
        group.createTask(async () => {
          try {
            await sleep(60_000);
          } finally {
            ended++;
          }
        });
      }
      group.createTask(async () => {
        await sleep(1);
        throw new RangeError("mine");
      });
    }));
    equal([ended, text.includes("ExceptionGroup")], [3, true]);
  },

  async "twenty thousand turns of the loop pass"() {
    for (let n = 0; n < 20_000; n++) await sleep(0);
  },

  async "locks, semaphores, events, conditions and barriers wake who waits"() {
    const log = [];
    const semaphore = new Semaphore(2);
    const event = new Event();
    const condition = new Condition();
    const barrier = new Barrier(3);
    let open = false;
    const work = (name) => async () => {
      await event.wait();
      await semaphore.acquire();
      try {
        await shared.acquire();
        await sleep(1);
        shared.release();
      } finally {
        semaphore.release();
      }
      await condition.acquire();
      while (!open) await condition.wait();
      condition.release();
      await barrier.wait();
      log.push(name);
    };
    const tasks = ["a", "b", "c"].map((name) => createTask(work(name)));
    event.set();
    await sleep(20);
    await condition.acquire();
    open = true;
    condition.notifyAll();
    condition.release();
    await gather(tasks);
    equal(log.toSorted(), ["a", "b", "c"]);
  },

  async "a bounded queue holds up who puts"() {
    const queue = new Queue({ maxSize: 1 });
    const producer = createTask(async () => {
      for (let n = 0; n < 100; n++) await queue.put(n);
      queue.shutdown();
    });
    const found = [];
    for await (const item of queue) found.push(item);
    await producer;
    equal(found.length, 100);
    equal(found.at(-1), 99);
  },
};

const outOfLoop = {
  async "virtual time passes at once"() {
    const passed = await runVirtual(async () => {
      await sleep(3_600_000);
      return getRunningLoop().time();
    });
    equal(passed, 3_600_000);
  },

  async "schedules are explored"() {
    let runs = 0;
    await exploreSchedules(async () => {
      runs++;
      await gather([createTask(() => sleep(1)), createTask(() => sleep(1))]);
    });
    equal(runs > 1, true);
  },
};

/** What is refused, with the words for it. */
const refused = {
  "tasks of the default loop": () => createTask(async () => {}),
  "timers of the default loop": () => sleep(1),
  "a context variable outside of tasks": () => level.set(1),
  "signals": () => run(async () => {}, { signals: ["SIGTERM"] }),
  "a connection": () =>
    run(() => openConnection({ hostname: "127.0.0.1", port: 1 })),
  "a server": () => run(() => startServer(() => {}, { port: 0 })),
  "a program": () => run(() => createSubprocessExec("true")),
  "a thread": () => run(() => toThread(() => 1)),
  "worker processes": () =>
    run(() => prefork({ workers: 1, script: "file:///server.js" })),
};

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    // Two such requests are under way at the same time.
    if (pathname === "/wait") {
      return new Response(await run(() => sleep(30, "waited")));
    }
    const checks = {};
    const check = async (name, fn) => {
      try {
        await fn();
        checks[name] = null;
      } catch (error) {
        checks[name] = error.stack;
      }
    };
    for (const [name, fn] of Object.entries(inLoop)) {
      await check(name, () => run(fn));
    }
    for (const [name, fn] of Object.entries(outOfLoop)) await check(name, fn);
    const refusals = { "while it loads": await atLoad };
    for (const [name, fn] of Object.entries(refused)) {
      refusals[name] = await thrown(fn);
    }
    return Response.json({ checks, refusals });
  },
};
