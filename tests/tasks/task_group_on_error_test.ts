import {
  CancelledError,
  ContextVar,
  createTask,
  currentTask,
  ExceptionGroup,
  getRunningLoop,
  KeyboardInterrupt,
  newEventLoop,
  run,
  sleep,
  SystemExit,
  type Task,
  taskGroup,
  VirtualClock,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { AsyncLocalStorage } from "node:async_hooks";
import { hasGc, leftBehind } from "../_support/gc.ts";
import { now, virtual } from "../_support/virtual.ts";

async function failAfter(ms: number, message: string): Promise<never> {
  await sleep(ms);
  throw new RangeError(message);
}

function messages(group: ExceptionGroup): string[] {
  return group.errors.map((error) => (error as Error).message);
}

const BOTH = ["collect", () => {}] as const;

Deno.test(
  'onError: "cancel" is what a group does by default',
  virtual(async () => {
    const group = await assertRejects(
      () =>
        taskGroup((group) => {
          group.createTask(() => failAfter(1, "first"));
          group.createTask(() => failAfter(2, "never"));
        }, { onError: "cancel" }),
      ExceptionGroup,
    );
    assertEquals(messages(group), ["first"]);
  }),
);

Deno.test(
  'onError: "collect" lets siblings and the block go on, and throws all errors at the end',
  virtual(async () => {
    const done: string[] = [];
    const group = await assertRejects(
      () =>
        taskGroup(async (group) => {
          group.createTask(() => failAfter(1, "first"));
          group.createTask(() => failAfter(20, "second"));
          group.createTask(() => sleep(10).then(() => done.push("sibling")));
          await sleep(5);
          done.push("block");
          group.createTask(() => sleep(25).then(() => done.push("late one")));
        }, { onError: "collect" }),
      ExceptionGroup,
    );
    assertEquals(messages(group), ["first", "second"]);
    assertEquals(done, ["block", "sibling", "late one"]);
    assertEquals(now(), 30);
    assertEquals(currentTask()!.cancelling(), 0);
  }),
);

Deno.test(
  "a function as onError is told of each failure, and the group gives its value",
  virtual(async () => {
    const told: unknown[] = [];
    const tasks: Task[] = [];
    const value = await taskGroup(async (group) => {
      tasks.push(group.createTask(() => failAfter(2, "second")));
      tasks.push(group.createTask(() => failAfter(1, "first")));
      group.createTask(() => sleep(10));
      await sleep(5);
      return "value";
    }, { onError: (error, task) => told.push([error, task, now()]) });
    assertEquals(value, "value");
    assertEquals(told, [
      [tasks[1]!.exception(), tasks[1], 1],
      [tasks[0]!.exception(), tasks[0], 2],
    ]);
    assertEquals(now(), 10);
  }),
);

Deno.test(
  "a task that is cancelled is no failure, however a group takes failures",
  virtual(async () => {
    for (const onError of BOTH) {
      await taskGroup(async (group) => {
        const task = group.createTask(() => sleep(1000));
        await sleep(1);
        task.cancel();
      }, { onError });
    }
  }),
);

Deno.test(
  "a function as onError that throws makes the group fail with that",
  virtual(async () => {
    let sibling: Task | undefined;
    const group = await assertRejects(
      () =>
        taskGroup((group) => {
          sibling = group.createTask(() => sleep(1000));
          group.createTask(() => failAfter(1, "told"));
          return sleep(1000);
        }, {
          onError: () => {
            throw new TypeError("handler");
          },
        }),
      ExceptionGroup,
    );
    assertEquals(messages(group), ["handler"]);
    assert(sibling!.cancelled());
    assertEquals(now(), 1);
  }),
);

Deno.test(
  "a function as onError is told of what fails while the group ends, too",
  virtual(async () => {
    const told: string[] = [];
    await taskGroup(async (group) => {
      group.createTask(() => sleep(1000).finally(() => failAfter(1, "late")));
      await sleep(1);
      group.cancel();
    }, { onError: (error) => told.push((error as Error).message) });
    assertEquals(told, ["late"]);
  }),
);

Deno.test(
  "an error of the block cancels the tasks, however a group takes failures",
  virtual(async () => {
    for (const onError of BOTH) {
      let child: Task | undefined;
      const group = await assertRejects(
        () =>
          taskGroup((group) => {
            child = group.createTask(() => sleep(1000));
            return failAfter(1, "block");
          }, { onError }),
        ExceptionGroup,
      );
      assertEquals(messages(group), ["block"]);
      assert(child!.cancelled());
    }
    assertEquals(now(), 2);
  }),
);

Deno.test(
  "a cancellation from outside ends a group that collects: errors first, then the cancellation",
  virtual(async () => {
    const parent = createTask(async () => {
      const group = await assertRejects(
        () =>
          taskGroup((group) => {
            group.createTask(() => failAfter(1, "before"));
            group.createTask(() => sleep(1000));
          }, { onError: "collect" }),
        ExceptionGroup,
      );
      assertEquals(messages(group), ["before"]);
      await sleep(0);
    });
    await sleep(5);
    parent.cancel("from outside");
    await assertRejects(() => parent, CancelledError, "from outside");
    const quiet = createTask(() =>
      taskGroup((group) => {
        group.createTask(() => failAfter(1, "told"));
        group.createTask(() => sleep(1000));
      }, { onError: () => {} })
    );
    await sleep(5);
    quiet.cancel("from outside");
    await assertRejects(() => quiet, CancelledError, "from outside");
    assertEquals(now(), 10);
  }),
);

Deno.test("SystemExit and KeyboardInterrupt end everything, however a group takes failures", async () => {
  for (const onError of BOTH) {
    for (const request of [new SystemExit(3), new KeyboardInterrupt()]) {
      let sibling: Task | undefined;
      const loop = newEventLoop({ clock: new VirtualClock() });
      const thrown = await assertRejects(() =>
        run(() =>
          taskGroup((group) => {
            sibling = group.createTask(() => sleep(1000));
            group.createTask(() => {
              throw request;
            });
          }, { onError }), { loop })
      );
      assertStrictEquals(thrown, request);
      assert(sibling!.cancelled());
    }
  }
});

Deno.test("errors that a group has collected are reported where an exit request ends it", async () => {
  const reports: string[] = [];
  const loop = newEventLoop({ clock: new VirtualClock() });
  loop.setExceptionHandler(({ message, error }) => {
    reports.push(`${message}: ${error}`);
  });
  await assertRejects(() =>
    run(() =>
      taskGroup((group) => {
        group.createTask(() => failAfter(1, "collected"));
        group.createTask(() => sleep(2).then(() => failWith(new SystemExit())));
      }, { onError: "collect" }), { loop }), SystemExit);
  assertEquals(reports, [
    "Unhandled error in TaskGroup, which SystemExit has ended: RangeError: collected",
  ]);
});

function failWith(error: unknown): never {
  throw error;
}

Deno.test(
  "a function as onError runs as a callback, in the context of who opened the group",
  virtual(async () => {
    const variable = new ContextVar<string>("variable");
    const storage = new AsyncLocalStorage<string>();
    variable.set("opener");
    const seen: unknown[] = [];
    await storage.run("opener", () =>
      taskGroup((group) => {
        variable.set("block");
        storage.enterWith("block");
        group.createTask(() => {
          variable.set("task");
          storage.enterWith("task");
          return failAfter(1, "boom");
        });
      }, {
        onError: () => {
          seen.push(variable.get(), storage.getStore(), currentTask());
          assertStrictEquals(getRunningLoop().isRunning(), true);
        },
      }));
    assertEquals(seen, ["opener", "opener", null]);
  }),
);

Deno.test(
  "a function as onError may start another task in the group, and end the group",
  virtual(async () => {
    const starts: number[] = [];
    let restart = () => {};
    let end = () => {};
    await taskGroup((group) => {
      restart = () => {
        starts.push(now());
        group.createTask(() => failAfter(10, "again"));
      };
      end = () => group.cancel();
      restart();
    }, {
      limit: 1,
      onError: () => {
        if (starts.length < 3) restart();
        else end();
      },
    });
    assertEquals(starts, [0, 10, 20]);
    assertEquals(now(), 30);
  }),
);

Deno.test({
  name:
    "a group with a function as onError keeps nothing of 100,000 tasks that fail",
  ignore: !hasGc,
  fn: async () => {
    let told = 0;
    await taskGroup(async (group) => {
      const round = async () => {
        for (let n = 0; n < 20; n++) {
          group.createTask(() => failWith("failure"));
        }
        await sleep(0);
        await sleep(0);
      };
      // A thousand rounds of twenty a batch, six at the most.
      const bytes = await leftBehind(round, 100);
      for (let n = 0; told < 100_000; n++) await round();
      assert(bytes <= 100, `${bytes} bytes of twenty failures`);
      assertEquals(String(group), "<TaskGroup open tasks=0 errors=0>");
    }, {
      onError: () => {
        told++;
      },
    });
  },
});

Deno.test("taskGroup() refuses an onError that is none", async () => {
  for (const onError of ["ignore", null, 5]) {
    await assertRejects(
      () => taskGroup(() => {}, { onError: onError as never }),
      TypeError,
      'Cannot open a task group as \'onError\' must be "cancel", "collect" or a function: received',
    );
  }
  await assertRejects(
    () => taskGroup(() => {}, { onError: async () => {} }),
    TypeError,
    "Cannot open a task group as 'onError' must not be an async function, whose errors no one would see",
  );
});
