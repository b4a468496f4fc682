import {
  allTasks,
  CancelledError,
  createTask,
  currentTask,
  ExceptionGroup,
  InvalidStateError,
  moveOnAfter,
  newEventLoop,
  run,
  shielded,
  sleep,
  SystemExit,
  type Task,
  type TaskGroup,
  taskGroup,
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
import { now, turns, virtual } from "../_support/virtual.ts";

type Started<T> = (value: T) => void;

/** Starts with a value after a while, and goes on. */
function service(ms: number, log: string[] = []) {
  return async (started: Started<string>) => {
    try {
      await sleep(ms);
      started("up");
      await sleep(1000);
    } finally {
      log.push(`ended at ${now()}`);
    }
  };
}

Deno.test(
  "start() waits until the task says that it has started, and the task goes on in the group",
  virtual(async () => {
    const log: string[] = [];
    await taskGroup(async (group) => {
      assertEquals(await group.start(service(10, log)), "up");
      assertEquals(now(), 10);
      assertEquals(String(group), "<TaskGroup open tasks=1 errors=0>");
      await sleep(10);
      group.cancel();
    });
    assertEquals(log, ["ended at 20"]);
  }),
);

Deno.test(
  "start() takes a task's options, an eager start and one without a value",
  virtual(async () => {
    await taskGroup(async (group) => {
      const log: string[] = [];
      const starting = group.start(async (started: Started<void>) => {
        log.push(currentTask()!.name);
        started();
        await sleep(5);
      }, { name: "eager", eagerStart: true });
      assertEquals(log, ["eager"]);
      assertEquals(await starting, undefined);
      assertEquals(now(), 0);
    });
    assertEquals(now(), 5);
  }),
);

Deno.test(
  "a task that returns before it has started is an error of start(), and none of the group",
  virtual(async () => {
    await taskGroup(async (group) => {
      for (const fn of [() => {}, () => sleep(1)]) {
        await assertRejects(
          () => group.start(fn, { name: "early" }),
          InvalidStateError,
          'Cannot start a task as it ended before it called started(): received <Task finished undefined name="early">',
        );
      }
      assertEquals(String(group), "<TaskGroup open tasks=0 errors=0>");
    });
  }),
);

Deno.test(
  "start() throws what the task threw before it had started, and the group goes on",
  virtual(async () => {
    const error = new RangeError("no port");
    const told: unknown[] = [];
    await taskGroup(async (group) => {
      const sibling = group.createTask(() => sleep(10, "fine"));
      const thrown = await assertRejects(() =>
        group.start(async () => {
          await sleep(1);
          throw error;
        })
      );
      assertStrictEquals(thrown, error);
      assertEquals(await sibling, "fine");
    }, { onError: (each) => told.push(each) });
    assertEquals(told, []);
  }),
);

Deno.test(
  "an error after the start is one of the group",
  virtual(async () => {
    const group = await assertRejects(
      () =>
        taskGroup(async (group) => {
          await group.start(async (started: Started<void>) => {
            started();
            await sleep(5);
            throw new RangeError("later");
          });
          await sleep(1000);
        }),
      ExceptionGroup,
    );
    assertEquals((group.errors[0] as Error).message, "later");
    assertEquals(now(), 5);
  }),
);

Deno.test(
  "a second call of started() throws there, and so does one after the end",
  virtual(async () => {
    let late: Started<string> | undefined;
    await taskGroup(async (group) => {
      const value = await group.start((started: Started<string>) => {
        started("first");
        try {
          started("second");
        } catch (error) {
          assert(error instanceof InvalidStateError);
          assertEquals(
            error.message.replace(/<.*/, "<…>"),
            "Cannot say that a task has started as started() was called before: received a call for <…>",
          );
          return;
        }
        throw new Error("it was taken");
      });
      assertEquals(value, "first");
      await assertRejects(() =>
        group.start((started: Started<string>) => {
          late = started;
        }), InvalidStateError);
      assertThrows(
        () => late!("late"),
        InvalidStateError,
        "as the task has ended: received a call for <Task finished",
      );
    });
  }),
);

Deno.test(
  "cancelling start() cancels the task that has not started, and waits for it",
  virtual(async () => {
    const log: string[] = [];
    await taskGroup(async (group) => {
      await assertRejects(
        () =>
          timeout(10, () =>
            group.start(async () => {
              try {
                await sleep(1000);
              } finally {
                await sleep(5);
                log.push(`clean at ${now()}`);
              }
            })),
        TimeoutError,
      );
      log.push("timed out");
      assertEquals(String(group), "<TaskGroup open tasks=0 errors=0>");
    });
    assertEquals(log, ["clean at 15", "timed out"]);
  }),
);

Deno.test(
  "a start() that begins cancelled runs not a line of its task",
  virtual(async () => {
    let ran = false;
    const task = createTask(() =>
      taskGroup(async (group) => {
        currentTask()!.cancel("remembered");
        await group.start(() => {
          ran = true;
        });
      })
    );
    await assertRejects(() => task, CancelledError, "remembered");
    assertFalse(ran);
  }),
);

Deno.test(
  "start() that is cancelled in the step in which the task starts leaves no task behind",
  virtual(async () => {
    for (const delay of [0, 1, 2, 3]) {
      const log: string[] = [];
      await taskGroup(async (group) => {
        const starter = createTask(() =>
          group.start(async (started: Started<string>) => {
            try {
              await sleep(10);
              started("up");
              await sleep(1000);
            } finally {
              await sleep(1);
              log.push("clean");
            }
          })
        );
        await sleep(10);
        for (let n = 0; n < delay; n++) await Promise.resolve();
        starter.cancel("enough");
        const end = await starter.then(() => "up", () => "cancelled");
        if (end === "up") group.cancel();
        else assertEquals(log, ["clean"]);
      });
      assertEquals(log, ["clean"]);
    }
  }),
);

Deno.test(
  "start() that is cancelled after the task has started, and before it hears of that, ends the task",
  virtual(async () => {
    const log: string[] = [];
    await taskGroup(async (group) => {
      const starter: Task<string> = createTask(() =>
        group.start(async (started: Started<string>) => {
          started("up");
          starter.cancel("enough");
          try {
            await sleep(1000);
          } finally {
            await sleep(5);
            log.push(`clean at ${now()}`);
            // deno-lint-ignore no-unsafe-finally -- the clean-up fails
            throw new RangeError("unclean");
          }
        })
      );
      await assertRejects(() => starter, CancelledError, "enough");
      log.push("cancelled");
    }, { onError: (error) => log.push(`${error}`) });
    assertEquals(log, ["clean at 5", "RangeError: unclean", "cancelled"]);
  }),
);

Deno.test(
  "an error in the clean-up of a start() that was cancelled is thrown, and the cancellation comes next",
  virtual(async () => {
    const task = createTask(async () => {
      const group = await assertRejects(
        () =>
          taskGroup((group) =>
            group.start(() =>
              sleep(1000).finally(() => {
                throw new RangeError("unclean");
              })
            )
          ),
        ExceptionGroup,
      );
      assertEquals((group.errors as Error[]).map((each) => each.message), [
        "unclean",
      ]);
      await sleep(0);
    });
    await sleep(1);
    task.cancel("enough");
    await assertRejects(() => task, CancelledError, "enough");
  }),
);

Deno.test(
  "a sibling that fails cancels what is being started, and the block",
  virtual(async () => {
    const log: string[] = [];
    const group = await assertRejects(
      () =>
        taskGroup(async (group) => {
          group.createTask(async () => {
            await sleep(5);
            throw new RangeError("sibling");
          });
          await group.start(service(10, log));
        }),
      ExceptionGroup,
    );
    assertEquals(group.errors.length, 1);
    assertEquals(log, ["ended at 5"]);
  }),
);

Deno.test(
  "start() of a full group waits in its line, and leaves it when it is cancelled",
  virtual(async () => {
    let ran = false;
    await taskGroup(async (group) => {
      group.createTask(() => sleep(10));
      const left = await moveOnAfter(5, () =>
        group.start(() => {
          ran = true;
        }));
      assertEquals(left, undefined);
      assertEquals(
        String(group),
        "<TaskGroup open tasks=1 in line=0 errors=0>",
      );
      assertEquals(await group.start(service(1)), "up");
      assertEquals(now(), 11);
      group.cancel();
    }, { limit: 1 });
    assertFalse(ran);
  }),
);

Deno.test(
  "tasks of the group may start others, which the end of the group waits for",
  virtual(async () => {
    const log: string[] = [];
    await taskGroup((group) => {
      group.createTask(async () => {
        await group.start(async (started: Started<void>) => {
          started();
          await sleep(20);
          log.push("started one");
        });
        log.push("starter");
      });
    });
    assertEquals(log, ["starter", "started one"]);
  }),
);

Deno.test("SystemExit before the start ends everything", async () => {
  let sibling: Task | undefined;
  const reports: string[] = [];
  const loop = newEventLoop();
  loop.setExceptionHandler(({ message }) => {
    reports.push(message);
  });
  await assertRejects(() =>
    run(() =>
      taskGroup(async (group) => {
        sibling = group.createTask(() => sleep(60_000));
        await group.start(() => {
          throw new SystemExit(3);
        });
      }, { onError: "collect" }), { loop }), SystemExit);
  assert(sibling!.cancelled());
  assertEquals(reports, []);
});

Deno.test(
  "a task that declines its cancellation may start all the same, as an awaited one gives its value",
  virtual(async () => {
    await taskGroup(async (group) => {
      const starter = createTask(() =>
        group.start((started: Started<string>) =>
          shielded(async () => {
            await sleep(10);
            started("up");
          })
        )
      );
      await sleep(5);
      starter.cancel();
      assertEquals(await starter, "up");
    });
    assertEquals(allTasks().size, 1);
  }),
);

Deno.test(
  "start() refuses what is no function, and a group that is ending or has ended",
  virtual(async () => {
    let ended: TaskGroup | undefined;
    await taskGroup(async (group) => {
      ended = group;
      await assertRejects(
        () => group.start(Promise.resolve() as never),
        TypeError,
        "Cannot start a task as 'fn' must be a function: received a Promise",
      );
      group.cancel();
      await assertRejects(
        () => group.start(() => {}),
        InvalidStateError,
        "the group is shutting down",
      );
    });
    await assertRejects(() => ended!.start(() => {}), InvalidStateError);
    await turns(1);
  }),
);
