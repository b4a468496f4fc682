// The code that a step of the loop has woken runs before the next step: what it
// does finds the others still waiting, and what they wait for in its place.
import {
  Condition,
  createTask,
  currentTask,
  Event,
  getRunningLoop,
  Lock,
  newEventLoop,
  Queue,
  Semaphore,
  sleep,
  SystemExit,
  type Task,
  taskGroup,
  timeout,
  TimeoutError,
  wait,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { WAKING_HOPS } from "../../_internal/constants.ts";
import { hops, outcomes } from "../_support/outcome.ts";
import { turns, virtual } from "../_support/virtual.ts";

/** Something that several tasks wait for, and what wakes all of them. */
interface Source {
  wait(): PromiseLike<unknown>;
  wake(): void;
  /** What is left when one of three has taken its part. */
  left?(): unknown;
}

const SOURCES: Readonly<Record<string, () => Source>> = {
  "an event": () => {
    const event = new Event();
    return { wait: () => event.wait(), wake: () => event.set() };
  },
  "a future": () => {
    const future = getRunningLoop().createFuture<null>();
    return { wait: () => future, wake: () => future.setResult(null) };
  },
  "a task": () => {
    const task = createTask(() => sleep(5));
    return { wait: () => wait([task]), wake: () => {} };
  },
  "sleep()": () => ({ wait: () => sleep(5), wake: () => {} }),
  "sleep(0)": () => {
    let isOver = false;
    return {
      wait: async () => {
        while (!isOver) await sleep(0);
      },
      wake: () => {
        isOver = true;
      },
    };
  },
  "a queue": () => {
    const queue = new Queue<number>();
    return {
      wait: () => queue.get(),
      wake: () => [1, 2, 3].forEach((item) => queue.putNowait(item)),
      left: () => [queue.getNowait(), queue.getNowait(), queue.size],
    };
  },
  "a semaphore": () => {
    const semaphore = new Semaphore(0);
    return {
      wait: () => semaphore.acquire(),
      wake: () => [1, 2, 3].forEach(() => semaphore.release()),
      left: () => semaphore.statistics().value,
    };
  },
  "a condition": () => {
    const condition = new Condition();
    return {
      wait: async () => {
        await condition.acquire();
        try {
          await condition.wait();
        } finally {
          condition.release();
        }
      },
      wake: () =>
        void createTask(async () => {
          await condition.acquire();
          condition.notifyAll();
          condition.release();
        }),
      left: () => condition.locked(),
    };
  },
  "a timeout": () => ({
    wait: async () => {
      try {
        await timeout(5, () => sleep(60_000));
      } catch (error) {
        if (!(error instanceof TimeoutError)) throw error;
      }
    },
    wake: () => {},
  }),
};

const LEFT: Readonly<Record<string, unknown>> = {
  "a queue": [2, 3, 0],
  "a semaphore": 2,
  "a condition": false,
};

/** Waits behind so many `async` functions of the program's own. */
async function behind(
  depth: number,
  source: () => PromiseLike<unknown>,
): Promise<unknown> {
  return depth <= 1 ? await source() : await behind(depth - 1, source);
}

for (const [name, makeSource] of Object.entries(SOURCES)) {
  for (const debug of [false, true]) {
    Deno.test(
      `V1 of three that ${name} wakes, the first cancels the others${
        debug ? ", in debug mode too" : ""
      }`,
      virtual(async () => {
        getRunningLoop().setDebug(debug);
        for (let depth = 0; depth <= 4; depth++) {
          const source = makeSource();
          const winners: number[] = [];
          const cancels: boolean[] = [];
          const tasks: Task<void>[] = [0, 1, 2].map((index) =>
            createTask(async () => {
              if (depth === 0) await source.wait();
              else await behind(depth, source.wait);
              for (const task of tasks) {
                if (task !== currentTask()) cancels.push(task.cancel("lost"));
              }
              winners.push(index);
            })
          );
          await turns(4);
          source.wake();
          await wait(tasks);
          assertEquals(winners, [0], `${depth} functions between`);
          assertEquals(cancels, [true, true]);
          assertEquals(tasks.map((task) => task.cancelled()), [
            false,
            true,
            true,
          ]);
          assertEquals(source.left?.(), LEFT[name]);
        }
        getRunningLoop().setDebug(false);
      }),
    );
  }
}

Deno.test(
  "V1 a group that the first answer cancels has one answer",
  virtual(async () => {
    const event = new Event();
    const answers: number[] = [];
    const running = createTask(() =>
      taskGroup((group) => {
        for (let index = 0; index < 3; index++) {
          group.createTask(async () => {
            await event.wait();
            answers.push(index);
            group.cancel();
          });
        }
      })
    );
    await turns(2);
    event.set();
    await running;
    assertEquals(answers, [0]);
  }),
);

Deno.test(
  "V1 a task that is started runs up to its first wait before the next starts",
  virtual(async () => {
    const lock = new Lock();
    const first = createTask(async () => {
      await lock.acquire();
      return "has it";
    });
    const second = createTask(() => first.cancel());
    // The lock was free: nothing could interrupt the first.
    assertEquals(await outcomes([first, second]), ["has it", false]);
  }),
);

Deno.test(
  "V1 code behind future and function resumes before what was queued later",
  virtual(async () => {
    const loop = getRunningLoop();
    const seen: string[] = [];
    const future = loop.createFuture<void>();
    const task = createTask(async () => {
      await (async () => await future)();
      seen.push("w");
    });
    await turns(2);
    loop.callSoon(() => seen.push("a"));
    future.setResult();
    loop.callSoon(() => seen.push("b"));
    await task;
    assertEquals(seen, ["a", "w", "b"]);
  }),
);

Deno.test(
  "V1 a task that is in an await of something else holds up nobody for long",
  virtual(async () => {
    const event = new Event();
    const seen: string[] = [];
    const never = new Promise<void>(() => {});
    const stuck = createTask(async () => {
      await event.wait();
      seen.push("stuck");
      await Promise.race([never, sleep(100)]);
    });
    const others = [1, 2].map((index) =>
      createTask(async () => {
        await event.wait();
        seen.push(`other ${index}`);
      })
    );
    await turns(2);
    event.set();
    await wait(others);
    assertEquals(seen, ["stuck", "other 1", "other 2"]);
    await stuck;
  }),
);

Deno.test(
  "a cancellation takes its turn: what was ready before comes first",
  virtual(async () => {
    const seen: string[] = [];
    const cancelled = createTask(() =>
      sleep(60_000).finally(() => seen.push("cancelled"))
    );
    await turns(1);
    createTask(() => seen.push("ready before"));
    cancelled.cancel();
    createTask(() => seen.push("ready after"));
    await outcomes([cancelled]);
    await turns(1);
    assertEquals(seen, ["ready before", "cancelled", "ready after"]);
  }),
);

Deno.test(
  "V2 a request that comes after a grant was taken reaches the next wait",
  virtual(async () => {
    const event = new Event();
    const seen: string[] = [];
    const task = createTask(async () => {
      await event.wait();
      await hops(100);
      seen.push("took it");
      await sleep(0);
      seen.push("never");
    });
    await turns(1);
    event.set();
    createTask(() => assert(task.cancel()));
    assertEquals(await outcomes([task]), ["CancelledError"]);
    assertEquals(seen, ["took it"]);
  }),
);

Deno.test(
  "V2 a body that returns without another wait ends cancelled",
  virtual(async () => {
    const event = new Event();
    const task = createTask(async () => {
      await event.wait();
      await hops(100);
      return "dropped";
    });
    await turns(1);
    event.set();
    createTask(() => assert(task.cancel()));
    assertEquals(await outcomes([task]), ["CancelledError"]);
    assertEquals(task.cancelling(), 1);
  }),
);

Deno.test(
  "callbacks of an instant come before those who slept until then",
  virtual(async () => {
    const seen: string[] = [];
    const sleeper = createTask(() => sleep(5).then(() => seen.push("sleeper")));
    await turns(1);
    getRunningLoop().callLater(5, () => seen.push("callback"));
    await sleeper;
    assertEquals(seen, ["callback", "sleeper"]);
  }),
);

Deno.test(
  "a timeout that ends with the sleep inside of it ends it, as in asyncio",
  virtual(async () => {
    await assertRejects(() => timeout(5, () => sleep(5)), TimeoutError);
  }),
);

Deno.test(
  "C17 a cancellation that was remembered is thrown in the task's turn",
  virtual(async () => {
    const seen: string[] = [];
    const task = createTask(async () => {
      currentTask()!.cancel();
      await sleep(0).catch(() => seen.push("cancelled"));
    });
    createTask(() => seen.push("ready before"));
    await outcomes([task]);
    assertEquals(seen, ["ready before", "cancelled"]);
  }),
);

Deno.test(
  "C17 each of several waits that begin then throws it, and no later one",
  virtual(async () => {
    const task = createTask(async () => {
      currentTask()!.cancel();
      const ends = await Promise.allSettled([sleep(1), sleep(2), sleep(3)]);
      await sleep(1);
      return ends.map(({ status }) => status).join();
    });
    assertEquals(await outcomes([task]), ["rejected,rejected,rejected"]);
  }),
);

Deno.test(
  "a group whose task fails looks for its tasks at once, as in asyncio",
  virtual(async () => {
    const seen: unknown[] = [];
    const group = createTask(() =>
      taskGroup((group) => {
        group.createTask(() => sleep(0));
        group.createTask(() => Promise.reject(new Error("failed")));
      }).catch(() => seen.push("failed"))
    );
    const ticks = createTask(async () => {
      for (let tick = 0; tick < 5; tick++) {
        seen.push(tick);
        await sleep(0);
      }
    });
    await outcomes([group, ticks]);
    assertEquals(seen, [0, 1, 2, "failed", 3, 4]);
  }),
);

const WAITS: Readonly<Record<string, () => PromiseLike<unknown>>> = {
  "sleep()": () => sleep(1),
  "sleep(0)": () => sleep(0),
  "Lock.acquire()": () => new Lock().acquire(),
  "Semaphore.acquire()": () => new Semaphore(1).acquire(),
  "Queue.put()": () => new Queue().put(1),
  "Event.wait()": () => {
    const event = new Event();
    event.set();
    return event.wait();
  },
  "a future that is done": () => {
    const future = getRunningLoop().createFuture<null>();
    future.setResult(null);
    return future;
  },
  "wait()": () => wait([createTask(() => sleep(0))]),
  "taskGroup()": () => taskGroup((group) => void group.createTask(() => null)),
};

for (const [what, start] of Object.entries(WAITS)) {
  Deno.test(
    `C17 the wait after the one that threw a remembered cancellation waits: ${what}`,
    virtual(async () => {
      const task = createTask(async () => {
        currentTask()!.cancel();
        try {
          await start();
          return "was not cancelled";
        } catch {
          // At once, in the same microtask.
          await start();
          return "went on";
        }
      });
      assertEquals(await outcomes([task]), ["went on"]);
    }),
  );
}

Deno.test(
  "a group whose task cancels itself waits once for its tasks",
  virtual(async () => {
    const seen: unknown[] = [];
    const task = createTask(() =>
      taskGroup((group) => {
        group.createTask(() => seen.push("child"));
        currentTask()!.cancel();
      }).catch(() => seen.push("cancelled"))
    );
    const ticks = createTask(async () => {
      for (let tick = 0; tick < 4; tick++) {
        seen.push(tick);
        await sleep(0);
      }
    });
    await outcomes([task, ticks]);
    assertEquals(seen, [0, "child", 1, 2, "cancelled", 3]);
  }),
);

Deno.test(
  "C3 uncancel() takes back the request of a timeout inside of the task, too",
  virtual(async () => {
    const counts: number[] = [];
    await timeout(5, async () => {
      await sleep(60_000).catch(() => {
        counts.push(currentTask()!.cancelling());
        counts.push(currentTask()!.uncancel());
      });
      await sleep(1);
      counts.push(currentTask()!.cancelling());
    });
    assertEquals(counts, [1, 0, 0]);
  }),
);

Deno.test("what is settled when its loop is closed wakes nobody, and does not throw", async () => {
  const [event, queue] = [new Event(), new Queue<number>()];
  const loop = newEventLoop();
  loop.setExceptionHandler(() => {});
  const seen: string[] = [];
  loop.createTask(() => event.wait().then(() => seen.push("event")));
  loop.createTask(() => queue.get().then(() => seen.push("queue")));
  loop.callLater(1, () => loop.stop());
  await loop.runForever();
  loop.close();
  event.set();
  queue.putNowait(1);
  await new Promise((resolve) => setImmediate(resolve));
  assertEquals(seen, []);
});

for (const what of ["task", "callback"] as const) {
  Deno.test(`a ${what} whose turn came as another task ended the run has it in the next run`, async () => {
    // The microtask in which both meet is among these.
    for (let count = WAKING_HOPS - 5; count < WAKING_HOPS + 10; count++) {
      const order: string[] = [];
      const loop = newEventLoop();
      const end = loop.createFuture<void>();
      const main = () => {
        createTask(async () => {
          await hops(count);
          throw new SystemExit(3);
        });
        if (what === "task") createTask(() => order.push("first"));
        else loop.callSoon(() => order.push("first"));
        loop.callSoon(() => order.push("second"));
        return end;
      };
      await assertRejects(() => loop.runUntilComplete(main), SystemExit);
      await loop.runUntilComplete(async () => {
        end.setResult();
        await sleep(0);
      });
      assertEquals(order, ["first", "second"], `after ${count} microtasks`);
      loop.close();
    }
  });
}

Deno.test(
  "tasks that find something as the budget is spent may all have it; the cancellation is for their next wait",
  virtual(async () => {
    let severalWinners = 0;
    // What succeeds at once spends it; once it is spent, the result comes later.
    for (let spent = 0; spent < 300; spent++) {
      const spare = new Queue<number>();
      await new Promise((resolve) => setImmediate(resolve));
      for (let count = spent; count > 0; count--) await spare.put(count);
      const queue = new Queue<number>();
      for (const item of [1, 2, 3]) queue.putNowait(item);
      const got: number[] = [];
      const compete = async (index: number) => {
        got.push(await queue.get());
        tasks.forEach((task, other) => other !== index && task.cancel());
        await sleep(0);
      };
      const tasks = [0, 1, 2].map((index) => createTask(() => compete(index)));
      const ends = await outcomes(tasks);
      // Each item is had by one task, or is still there.
      const left: number[] = [];
      while (!queue.empty()) left.push(queue.getNowait());
      assertEquals([...got, ...left], [1, 2, 3]);
      if (got.length === 1) {
        assertEquals(ends, [undefined, "CancelledError", "CancelledError"]);
        continue;
      }
      severalWinners++;
      assertEquals(got, [1, 2, 3]);
      // Each has what it took, and none goes on behind its next wait.
      assertEquals(new Set(ends), new Set(["CancelledError"]));
    }
    assert(severalWinners < 10, `${severalWinners}`);
  }),
);
