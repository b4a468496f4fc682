import {
  allTasks,
  createTask,
  currentTask,
  ExceptionGroup,
  getEventLoop,
  getRunningLoop,
  InvalidStateError,
  sleep,
  type Task,
  taskGroup,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { hasGc, heldMemory, leftBehind } from "../_support/gc.ts";
import { now, turns, virtual } from "../_support/virtual.ts";

Deno.test(
  "limit lets so many tasks of a group run, the others in the order of their calls",
  virtual(async () => {
    const log: string[] = [];
    let running = 0;
    await taskGroup((group) => {
      for (const [index, ms] of [30, 10, 20, 5, 5].entries()) {
        group.createTask(async () => {
          running++;
          assert(running <= 2);
          log.push(`${index} at ${now()}`);
          await sleep(ms);
          running--;
        });
      }
    }, { limit: 2 });
    assertEquals(log, ["0 at 0", "1 at 0", "2 at 10", "3 at 30", "4 at 30"]);
    assertEquals(now(), 35);
  }),
);

Deno.test(
  "createTask() of a full group gives its task at once, in line",
  virtual(async () => {
    await taskGroup(async (group) => {
      group.createTask(() => sleep(10));
      const second = group.createTask(() => sleep(10, "second"), {
        name: "second",
      });
      assertEquals(
        String(group),
        "<crawler open tasks=2 in line=1 errors=0>",
      );
      assertFalse(second.done());
      await turns(2);
      assertEquals(
        String(second),
        '<Task pending name="second" waiting for a place in crawler (limit 1)>',
      );
      assertEquals(await second, "second");
      assertEquals(now(), 20);
    }, { limit: 1, name: "crawler" });
  }),
);

Deno.test(
  "limit counts tasks, and not the block or what they start elsewhere",
  virtual(async () => {
    await taskGroup(async (group) => {
      const outer = group.createTask(async () => {
        await taskGroup((inner) => {
          inner.createTask(() => sleep(10));
          inner.createTask(() => sleep(10));
        });
        await createTask(() => sleep(5));
      });
      await outer;
    }, { limit: 1 });
    assertEquals(now(), 15);
  }),
);

Deno.test(
  "a task of a full group that is cancelled in line never starts and leaves the line",
  virtual(async () => {
    for (const wait of [0, 1]) {
      const log: string[] = [];
      const start = now();
      await taskGroup(async (group) => {
        group.createTask(() => sleep(10));
        const [gone] = ["gone", "next"].map((name) =>
          group.createTask(async () => {
            log.push(name);
            await sleep(10);
          })
        ) as [Task, Task];
        await sleep(wait);
        assert(gone.cancel("not needed"));
        await gone.catch(() => {});
        assert(gone.cancelled());
        assertEquals(now() - start, wait);
        assert(String(group).includes("tasks=2 in line=1"));
      }, { limit: 1 });
      assertEquals(log, ["next"]);
      assertEquals(now() - start, 20);
    }
  }),
);

Deno.test(
  "a task that has its place and is cancelled before its first line gives the place on",
  virtual(async () => {
    const log: string[] = [];
    await taskGroup(async (group) => {
      const first = group.createTask(() => sleep(10));
      const second = group.createTask(() => log.push("second"));
      group.createTask(() => log.push("third"));
      await sleep(1);
      first.addDoneCallback(() => second.cancel());
    }, { limit: 1 });
    assertEquals(log, ["third"]);
    assertEquals(now(), 10);
  }),
);

Deno.test(
  "a signal cancels a task in line",
  virtual(async () => {
    const controller = new AbortController();
    const { signal } = controller;
    let ran = false;
    await taskGroup(async (group) => {
      group.createTask(() => sleep(10));
      const late = group.createTask(() => {
        ran = true;
      }, { signal });
      const dead = group.createTask(() => {
        ran = true;
      }, { signal: AbortSignal.abort() });
      await sleep(1);
      assert(dead.cancelled());
      controller.abort();
      await late.catch(() => {});
      assertEquals(now(), 1);
    }, { limit: 1 });
    assertFalse(ran);
  }),
);

Deno.test(
  "a group that fails cancels the tasks in line, and none of them runs a line",
  virtual(async () => {
    for (const ms of [0, 10]) {
      let ran = 0;
      const tasks: Task[] = [];
      const error = await assertRejects(
        () =>
          taskGroup((group) => {
            group.createTask(async () => {
              await sleep(ms);
              throw new RangeError("boom");
            });
            for (let n = 0; n < 10; n++) {
              tasks.push(group.createTask(() => {
                ran++;
              }));
            }
          }, { limit: 1 }),
        ExceptionGroup,
      );
      assertEquals(error.errors.length, 1);
      assertEquals(ran, 0);
      assert(tasks.every((task) => task.cancelled()));
    }
  }),
);

Deno.test(
  "a limited group that is cancelled from outside ends with all of its tasks",
  virtual(async () => {
    const tasks: Task[] = [];
    const parent = createTask(() =>
      taskGroup((group) => {
        for (let n = 0; n < 5; n++) {
          tasks.push(group.createTask(() => sleep(1000)));
        }
      }, { limit: 2 })
    );
    await sleep(5);
    parent.cancel();
    await parent.catch(() => {});
    assert(parent.cancelled());
    assert(tasks.every((task) => task.cancelled()));
    assertEquals(now(), 5);
  }),
);

Deno.test(
  "eagerStart starts at once where there is room, and otherwise in line",
  virtual(async () => {
    const log: string[] = [];
    await taskGroup((group) => {
      const eager = (name: string) =>
        group.createTask(async () => {
          log.push(name);
          await sleep(1);
        }, { eagerStart: true });
      eager("first");
      eager("second");
      eager("third");
      log.push("made");
    }, { limit: 2 });
    assertEquals(log, ["first", "second", "made", "third"]);
  }),
);

Deno.test(
  "an eager task that starts others of its group counts before it runs",
  virtual(async () => {
    let running = 0;
    let most = 0;
    await taskGroup((group) => {
      const nest = async (depth: number) => {
        most = Math.max(most, ++running);
        if (depth < 5) {
          group.createTask(() => nest(depth + 1), { eagerStart: true });
        }
        await sleep(1);
        running--;
      };
      group.createTask(() => nest(0), { eagerStart: true });
    }, { limit: 2 });
    assertEquals(most, 2);
  }),
);

Deno.test(
  "a task whose options are refused takes no place",
  virtual(async () => {
    await taskGroup(async (group) => {
      assertThrows(
        () => group.createTask(() => {}, { nam: "typo" } as never),
        TypeError,
        "did you mean 'name'?",
      );
      assertEquals(
        String(group),
        "<TaskGroup open tasks=0 in line=0 errors=0>",
      );
      await group.createTask(() => sleep(1));
    }, { limit: 1 });
  }),
);

Deno.test(
  "tasks of a limited group may come from a task factory",
  virtual(async () => {
    const loop = getRunningLoop();
    loop.setTaskFactory((loop, fn, options) =>
      loop.createTask(fn, { ...options, eagerStart: true })
    );
    let running = 0;
    await taskGroup((group) => {
      for (let n = 0; n < 6; n++) {
        group.createTask(async () => {
          assert(++running <= 2);
          await sleep(1);
          running--;
        });
      }
    }, { limit: 2 });
    loop.setTaskFactory(null);
    assertEquals(now(), 3);
  }),
);

Deno.test(
  "tasks in line keep their names and what they return",
  virtual(async () => {
    const tasks = await taskGroup(
      (group) =>
        ["a", "b", "c"].map((name) =>
          group.createTask(() => currentTask()!.name, { name })
        ),
      { limit: 1 },
    );
    assertEquals(tasks.map((task) => task.result()), ["a", "b", "c"]);
  }),
);

Deno.test(
  "createTask() of a full group that has ended or is ending throws as ever",
  virtual(async () => {
    const group = await taskGroup((each) => each, { limit: 1 });
    assertThrows(() => group.createTask(() => {}), InvalidStateError);
    await taskGroup((group) => {
      group.createTask(() => sleep(1));
      group.cancel();
      assertThrows(() => group.createTask(() => {}), InvalidStateError);
    }, { limit: 1 });
  }),
);

Deno.test("a group of 100,000 tasks with a limit of 10 takes ten at a time and its time is linear", async () => {
  let running = 0;
  let most = 0;
  let sum = 0;
  await taskGroup((group) => {
    for (let n = 0; n < 100_000; n++) {
      group.createTask(async () => {
        most = Math.max(most, ++running);
        await sleep(0);
        sum += n;
        running--;
      });
    }
  }, { limit: 10 });
  assertEquals(most, 10);
  assertEquals(sum, 100_000 * 99_999 / 2);
});

Deno.test("100,000 tasks in line are cancelled in linear time, with their group or one by one", async () => {
  let ran = 0;
  const work = () => {
    ran++;
  };
  for (const way of ["group", "first to last", "last to first"]) {
    ran = 0;
    await taskGroup(async (group) => {
      const first = group.createTask(() => sleep(60_000));
      const tasks: Task[] = [];
      for (let n = 0; n < 100_000; n++) tasks.push(group.createTask(work));
      await sleep(1);
      if (way === "group") return group.cancel();
      if (way === "last to first") tasks.reverse();
      for (const task of tasks) task.cancel();
      first.cancel();
    }, { limit: 1 });
    assertEquals(ran, 0);
  }
});

Deno.test({
  name:
    "a limited group that lives on keeps nothing of tasks that ended or left the line",
  ignore: !hasGc,
  fn: async () => {
    await taskGroup(async (group) => {
      const end = getEventLoop().createFuture<void>();
      group.createTask(() => end);
      const ended = await leftBehind(
        () => group.createTask(() => sleep(0)),
        100,
      );
      const cancelled = await leftBehind(async () => {
        const busy = group.createTask(() => sleep(60_000));
        const inLine = group.createTask(() => sleep(60_000));
        inLine.cancel();
        await inLine.catch(() => {});
        busy.cancel();
        await busy.catch(() => {});
      }, 100);
      end.setResult();
      assert(ended <= 100, `${ended} bytes a task that ended`);
      assert(cancelled <= 100, `${cancelled} bytes a task in line`);
    }, { limit: 2 });
    assertEquals(allTasks().size, 0);
  },
});

Deno.test({
  name: "the line of a limited group is let go of when it is empty",
  ignore: !hasGc,
  fn: async () => {
    await taskGroup(async (group) => {
      const fill = async () => {
        let last: Task | undefined;
        for (let n = 0; n < 20_000; n++) {
          last = group.createTask(() => sleep(0));
        }
        await last;
      };
      await fill();
      const before = await heldMemory();
      for (let round = 0; round < 3; round++) await fill();
      const grown = await heldMemory() - before;
      assert(grown < 2_000_000, `${grown} bytes of 60,000 tasks`);
    }, { limit: 10 });
  },
});

Deno.test("taskGroup() refuses a limit that is none", async () => {
  for (const limit of [0, -1, 1.5, NaN, -Infinity]) {
    await assertRejects(
      () => taskGroup(() => {}, { limit }),
      RangeError,
      `Cannot open a task group as 'limit' must be an integer of at least 1: received ${limit}`,
    );
  }
  await assertRejects(
    () => taskGroup(() => {}, { limit: "10" as never }),
    TypeError,
    "Cannot open a task group as 'limit' must be an integer: received \"10\"",
  );
  await assertRejects(
    () => taskGroup(() => {}, 10 as never),
    TypeError,
    "write { limit: 10 }",
  );
  assertEquals(await taskGroup(() => "any", { limit: Infinity }), "any");
});
