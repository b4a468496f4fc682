import {
  allTasks,
  CancelledError,
  createTask,
  currentTask,
  ExceptionGroup,
  getRunningLoop,
  InvalidStateError,
  KeyboardInterrupt,
  newEventLoop,
  run,
  sleep,
  SystemExit,
  type Task,
  TaskGroup,
  taskGroup,
  timeout,
  VirtualClock,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertFalse,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  assertSeenAroundLimit,
  TEN_MS_LIMITS,
} from "../_support/cancelled_block.ts";
import { outcome } from "../_support/outcome.ts";
import { slowToEnd } from "../_support/slow_clean_up.ts";
import { countingSignal, now, turns, virtual } from "../_support/virtual.ts";

/** The group that `fn` fails with. */
function failure(
  fn: (group: TaskGroup) => unknown,
): Promise<ExceptionGroup> {
  return assertRejects(() => taskGroup(fn), ExceptionGroup);
}

/** What the errors of a group say, in order. */
function messages(group: ExceptionGroup): string[] {
  return group.errors.map((error) => (error as Error).message);
}

async function failAfter(ms: number, message: string): Promise<never> {
  await sleep(ms);
  throw new RangeError(message);
}

Deno.test(
  "G1 the block's end waits for all tasks",
  virtual(async () => {
    const done: string[] = [];
    const value = await taskGroup((group) => {
      group.createTask(() => sleep(10).then(() => done.push("quick")));
      group.createTask(() => sleep(20).then(() => done.push("slow")));
      return "value of the block";
    });
    assertEquals(value, "value of the block");
    assertEquals(done, ["quick", "slow"]);
    assertEquals(now(), 20);
  }),
);

Deno.test(
  "G1 tasks may add others while the group is ending already",
  virtual(async () => {
    const done: number[] = [];
    await taskGroup((group) => {
      const step = async (depth: number) => {
        await sleep(10);
        done.push(depth);
        if (depth < 3) group.createTask(() => step(depth + 1));
      };
      group.createTask(() => step(1));
    });
    assertEquals(done, [1, 2, 3]);
  }),
);

Deno.test(
  "G2 the first error cancels the others and the block, only real errors come out",
  virtual(async () => {
    const ended: unknown[] = [];
    const note = (error: Error) => {
      ended.push(error.name);
      throw error;
    };
    const group = await failure(async (group) => {
      group.createTask(() => sleep(1000).catch(note));
      group.createTask(() => failAfter(10, "boom"));
      await sleep(1000).catch(note);
    });
    assertEquals(messages(group), ["boom"]);
    assertEquals(ended, ["CancelledError", "CancelledError"]);
    assertEquals(currentTask()!.cancelling(), 0);
    assertEquals(now(), 10);
    await sleep(0);
  }),
);

Deno.test(
  "G2 the count from before the group is left as it was",
  virtual(async () => {
    const task = createTask(async () => {
      await sleep(1000).catch(() => {});
      await failure((group) => {
        group.createTask(() => failAfter(10, "boom"));
      });
      return currentTask()!.cancelling();
    });
    await sleep(0);
    task.cancel();
    assertEquals(await task, 1);
  }),
);

Deno.test(
  "G3 createTask() after the abort throws, and the function never runs",
  virtual(async () => {
    let ran = false;
    await failure(async (group) => {
      group.createTask(() => failAfter(0, "boom"));
      await sleep(1000).catch(() => {});
      assertThrows(
        () =>
          group.createTask(() => {
            ran = true;
          }),
        InvalidStateError,
        "Cannot create a task as the group is shutting down: received a call on <TaskGroup aborting",
      );
    });
    await turns(2);
    assertFalse(ran);
  }),
);

Deno.test(
  "G3 createTask() after the group has ended throws",
  virtual(async () => {
    const group = await taskGroup((each) => each);
    const before = allTasks().size;
    assertThrows(
      () => group.createTask(() => {}),
      InvalidStateError,
      "as the group is finished",
    );
    assertEquals(allTasks().size, before);
  }),
);

Deno.test(
  "G4 a task that is cancelled is no error of the group",
  virtual(async () => {
    const ends: string[] = [];
    await taskGroup(async (group) => {
      const task = group.createTask(() => sleep(1000));
      group.createTask(() => sleep(10).then(() => ends.push("sibling")));
      await sleep(0);
      task.cancel();
      await sleep(20);
      ends.push("block");
    });
    assertEquals(ends, ["sibling", "block"]);
  }),
);

Deno.test(
  "G5 the parent cancelled from outside: tasks cancelled, CancelledError, count 1",
  virtual(async () => {
    const children: Task<unknown>[] = [];
    const parent = createTask(() =>
      taskGroup((group) => {
        for (let i = 0; i < 3; i++) {
          children.push(group.createTask(() => sleep(1000)));
        }
      })
    );
    await sleep(5);
    parent.cancel("from outside");
    await assertRejects(() => parent, CancelledError, "from outside");
    assertEquals(parent.cancelling(), 1);
    assert(children.every((child) => child.cancelled()));
  }),
);

Deno.test(
  "G5 the same while the block itself waits",
  virtual(async () => {
    let child: Task<unknown> | undefined;
    const parent = createTask(() =>
      taskGroup(async (group) => {
        child = group.createTask(() => sleep(1000));
        await sleep(500);
      })
    );
    await sleep(5);
    parent.cancel("from outside");
    await assertRejects(() => parent, CancelledError, "from outside");
    assertEquals(parent.cancelling(), 1);
    assert(child!.cancelled());
    assertEquals(now(), 5);
  }),
);

Deno.test(
  "G6 cancelled from outside and a task fails: ExceptionGroup, count 1, the next wait is cancelled",
  virtual(async () => {
    const parent = createTask(async () => {
      const group = await failure((group) => {
        group.createTask(() => sleep(1000).catch(() => failAfter(5, "boom")));
      });
      assertEquals(messages(group), ["boom"]);
      assertEquals(currentTask()!.cancelling(), 1);
      await sleep(0);
    });
    await sleep(5);
    parent.cancel("from outside");
    await assertRejects(() => parent, CancelledError, "from outside");
  }),
);

Deno.test(
  "G7 an error of the block alone comes in an ExceptionGroup too",
  virtual(async () => {
    const error = new RangeError("in the block");
    const group = await failure(() => {
      throw error;
    });
    assertStrictEquals(group.errors[0], error);
    const later = await failure(() => failAfter(10, "later"));
    assertEquals(messages(later), ["later"]);
    assertEquals(
      later.message,
      "Unhandled errors in TaskGroup (1 error: RangeError: later)",
    );
  }),
);

Deno.test(
  "G7 an error of the block cancels the tasks",
  virtual(async () => {
    let child: Task<unknown> | undefined;
    await failure((group) => {
      child = group.createTask(() => sleep(1000));
      return failAfter(10, "block");
    });
    assert(child!.cancelled());
  }),
);

Deno.test(
  "G8 the end waits for tasks that resist their cancellation",
  virtual(async () => {
    await failure((group) => {
      group.createTask(() => sleep(1000).catch(() => sleep(50)));
      group.createTask(() => failAfter(10, "boom"));
    });
    assertEquals(now(), 60);
  }),
);

Deno.test(
  "G9 all errors are collected in the order in which the tasks ended",
  virtual(async () => {
    const group = await failure(async (group) => {
      group.createTask(() => sleep(1000).catch(() => failAfter(20, "last")));
      group.createTask(() => failAfter(10, "first"));
      group.createTask(() => sleep(1000).catch(() => failAfter(5, "second")));
      await sleep(1000);
    });
    assertEquals(messages(group), ["first", "second", "last"]);
    assertEquals(
      group.message,
      "Unhandled errors in TaskGroup (3 errors: RangeError: first; RangeError: second; RangeError: last)",
    );
  }),
);

Deno.test(
  "G9 the error of the block comes after those of the tasks",
  virtual(async () => {
    const group = await failure(async (group) => {
      group.createTask(() => failAfter(10, "task"));
      await sleep(1000).catch(() => {
        throw new RangeError("block");
      });
    });
    assertEquals(messages(group), ["task", "block"]);
  }),
);

Deno.test(
  "G10 tasks that had not started when the group aborts never run a line",
  virtual(async () => {
    let ran = false;
    await failure((group) => {
      group.createTask(() => {
        ran = true;
      });
      throw new RangeError("at once");
    });
    assertFalse(ran);
  }),
);

Deno.test(
  "G11 the failure of a nested group arrives as a group in the outer one",
  virtual(async () => {
    const outer = await failure((group) => {
      group.createTask(() =>
        taskGroup((inner) => {
          inner.createTask(() => failAfter(10, "deep"));
        })
      );
      group.createTask(() => failAfter(10, "shallow"));
    });
    assertEquals(outer.errors.length, 2);
    const inner = outer.errors.find((each) => each instanceof ExceptionGroup);
    assertInstanceOf(inner, ExceptionGroup);
    assertEquals(messages(inner), ["deep"]);
  }),
);

Deno.test(
  "G11 nested blocks in one task: each wraps what comes out of it",
  virtual(async () => {
    const outer = await failure(() =>
      taskGroup((inner) => {
        inner.createTask(() => failAfter(10, "deep"));
      })
    );
    assertInstanceOf(outer.errors[0], ExceptionGroup);
  }),
);

Deno.test(
  "G11 a failure in the outer group cancels the inner one, whose block is in the same task",
  virtual(async () => {
    let inner: Task<unknown> | undefined;
    const outer = await failure((group) => {
      group.createTask(() => failAfter(10, "outer"));
      return taskGroup((each) => {
        inner = each.createTask(() => sleep(1000));
      });
    });
    assertEquals(messages(outer), ["outer"]);
    assert(inner!.cancelled());
    assertEquals(currentTask()!.cancelling(), 0);
  }),
);

// asyncio's group is an object to enter, and refuses to be entered twice. Ours
// is only ever made by the call that runs its block.
Deno.test(
  "G12 a group is entered once: each taskGroup() makes its own",
  virtual(async () => {
    const groups: TaskGroup[] = [];
    const block = (group: TaskGroup) => {
      groups.push(group);
    };
    await taskGroup(block);
    await taskGroup(block);
    assert(groups[0] !== groups[1]);
    assertInstanceOf(groups[0], TaskGroup);
    assertThrows(() => groups[0]!.createTask(() => {}), InvalidStateError);
  }),
);

Deno.test(
  "G13 a block that keeps the group's cancellation: still ExceptionGroup, count 0",
  virtual(async () => {
    const group = await failure(async (group) => {
      group.createTask(() => failAfter(10, "boom"));
      await sleep(1000).catch(() => {});
      return "ended normally";
    });
    assertEquals(messages(group), ["boom"]);
    assertEquals(currentTask()!.cancelling(), 0);
  }),
);

Deno.test(
  "G14 cancel() on a group: quiet end, tasks cancelled, count 0",
  virtual(async () => {
    const children: Task<unknown>[] = [];
    let reached = false;
    const value = await taskGroup(async (group) => {
      children.push(group.createTask(() => sleep(1000)));
      children.push(group.createTask(() => sleep(10).then(() => 1)));
      await sleep(20);
      group.cancel("enough");
      await sleep(1000);
      reached = true;
    });
    assertEquals(value, undefined);
    assertFalse(reached);
    assertEquals(children.map((child) => child.cancelled()), [true, false]);
    assertEquals(currentTask()!.cancelling(), 0);
    assertEquals(now(), 20);
    await sleep(0);
  }),
);

Deno.test(
  "G14 cancel() from a task of the group, and once the block has ended",
  virtual(async () => {
    const value = await taskGroup((group) => {
      group.createTask(() => sleep(10).then(() => group.cancel()));
      group.createTask(() => sleep(1000));
      return "value of the block";
    });
    assertEquals(value, "value of the block");
    assertEquals(now(), 10);
  }),
);

Deno.test(
  "G14 errors while a cancelled group ends come out all the same",
  virtual(async () => {
    const group = await failure((group) => {
      group.createTask(() => sleep(1000).catch(() => failAfter(5, "boom")));
      group.createTask(() => sleep(10).then(() => group.cancel()));
    });
    assertEquals(messages(group), ["boom"]);
    await sleep(0);
  }),
);

Deno.test("G15 SystemExit of a task ends the loop and leaves the group bare", async () => {
  const thrown: unknown[] = [];
  const reports: string[] = [];
  let cleaned = false;
  const loop = newEventLoop({ clock: new VirtualClock() });
  loop.setExceptionHandler(({ message }) => {
    reports.push(message);
  });
  const error = await assertRejects(
    () =>
      run(async () => {
        createTask(slowToEnd(5, () => {
          cleaned = true;
        }));
        await sleep(0);
        try {
          await taskGroup((group) => {
            group.createTask(() => sleep(1000));
            group.createTask(() => {
              throw new SystemExit(3);
            });
          });
        } catch (each) {
          thrown.push(each);
          throw each;
        }
      }, { loop }),
    SystemExit,
  );
  assertEquals(error.code, 3);
  assertEquals(thrown, [error]);
  assert(cleaned);
  assertEquals(reports, []);
});

Deno.test("G15 KeyboardInterrupt of the block leaves the group bare", async () => {
  let child: Task<unknown> | undefined;
  await assertRejects(
    () =>
      run(() =>
        taskGroup((group) => {
          child = group.createTask(() => sleep(1000));
          throw new KeyboardInterrupt();
        })
      ),
    KeyboardInterrupt,
  );
  assert(child!.cancelled());
});

Deno.test("G15 the errors that an exit request leaves behind are reported", async () => {
  for (const request of [new KeyboardInterrupt(), new SystemExit(3)]) {
    for (const isOfBlock of [true, false]) {
      const reports: string[] = [];
      const loop = newEventLoop({ clock: new VirtualClock() });
      loop.setExceptionHandler(({ message, error, task }) => {
        reports.push(`${task?.name}: ${message}: ${error}`);
      });
      const exit = () => Promise.reject(request);
      const fail = (text: string) => Promise.reject(new RangeError(text));
      const thrown = await assertRejects(() =>
        run(async () => {
          currentTask()!.name = "main";
          await taskGroup(async (group) => {
            group.createTask(() => failAfter(1, "one"), { name: "first" });
            for (const name of ["second", "third"]) {
              group.createTask(
                () => sleep(1000).finally(() => fail(name)),
                { name },
              );
            }
            if (isOfBlock) await sleep(1000).finally(exit);
            else {
              group.createTask(() => sleep(1000).finally(exit));
              await sleep(1000).finally(() => fail("block"));
            }
          });
        }, { loop })
      );
      assertStrictEquals(thrown, request);
      const end =
        `Unhandled error in TaskGroup, which ${request.name} has ended`;
      assertEquals(reports.toSorted(), [
        `first: ${end}: RangeError: one`,
        ...(isOfBlock ? [] : [`main: ${end}: RangeError: block`]),
        `second: ${end}: RangeError: second`,
        `third: ${end}: RangeError: third`,
      ]);
    }
  }
});

Deno.test(
  "G16 own abort and a foreign cancel at once: the foreign one survives",
  virtual(async () => {
    const parent = createTask(async () => {
      const group = await failure((group) => {
        group.createTask(() => failAfter(10, "boom"));
        group.createTask(() => sleep(1000).catch(() => sleep(20)));
      });
      assertEquals(messages(group), ["boom"]);
      assertEquals(currentTask()!.cancelling(), 1);
      await sleep(0);
    });
    await sleep(15);
    parent.cancel("from outside");
    await assertRejects(() => parent, CancelledError, "from outside");
    assertEquals(now(), 30);
  }),
);

Deno.test(
  "G16 the foreign cancel in the very step of the abort, before and after it",
  virtual(async () => {
    for (const order of ["before", "after"]) {
      const parent = createTask(async () => {
        await failure(async (group) => {
          group.createTask(async () => {
            await sleep(10);
            if (order === "before") parent.cancel("from outside");
            else queueMicrotask(() => parent.cancel("from outside"));
            throw new RangeError("boom");
          });
          await sleep(1000);
        });
        assertEquals(currentTask()!.cancelling(), 1);
        await sleep(0);
      });
      await assertRejects(() => parent, CancelledError, "from outside");
    }
  }),
);

Deno.test(
  "G16 a group that is cancelled quietly lets a foreign cancel through",
  virtual(async () => {
    const parent = createTask(() =>
      taskGroup((group) => {
        group.createTask(() => sleep(1000).catch(() => sleep(20)));
        group.createTask(() => sleep(10).then(() => group.cancel()));
      })
    );
    await sleep(15);
    parent.cancel("from outside");
    await assertRejects(() => parent, CancelledError, "from outside");
    assertEquals(parent.cancelling(), 1);
  }),
);

for (const [name, limit] of Object.entries(TEN_MS_LIMITS)) {
  Deno.test(
    `G6 a foreign cancel of a group that fails survives the end of ${name} around it`,
    virtual(async () => {
      const block = () =>
        taskGroup((group) => {
          group.createTask(() => failAfter(1, "boom"));
          group.createTask(slowToEnd(20));
        });
      const expected = ["ExceptionGroup", "CancelledError", "slept", 1];
      await assertSeenAroundLimit(block, expected);
      await assertSeenAroundLimit(() => limit(block), expected);
    }),
  );
}

Deno.test(
  "G6 the end of a timeout around a group that fails is no cancellation of what follows",
  virtual(async () => {
    await assertRejects(
      () =>
        timeout(10, () =>
          taskGroup((group) => {
            group.createTask(() => failAfter(1, "boom"));
            group.createTask(slowToEnd(20));
          })),
      ExceptionGroup,
    );
    assertEquals(currentTask()!.cancelling(), 0);
    await sleep(10);
    assertEquals(now(), 31);
  }),
);

// Better than asyncio, which refuses: a group is a scope, and needs no task.
Deno.test("G17 taskGroup() works at top level, without a parent task", async () => {
  assertEquals(currentTask(), null);
  const done: string[] = [];
  await taskGroup((group) => {
    group.createTask(() => sleep(1).then(() => done.push("one")));
  });
  const group = await failure(async (group) => {
    group.createTask(() => sleep(60_000));
    group.createTask(() => failAfter(1, "boom"));
    await sleep(60_000);
  });
  assertEquals(done, ["one"]);
  assertEquals(messages(group), ["boom"]);
  await sleep(0);
});

Deno.test(
  "a task that awaits a sibling which fails is cancelled, no second error",
  virtual(async () => {
    const group = await failure((group) => {
      const broken = group.createTask(() => failAfter(10, "boom"));
      group.createTask(async () => {
        await sleep(1000);
        await broken;
      });
    });
    assertEquals(messages(group), ["boom"]);
  }),
);

Deno.test(
  "taskGroup() waits in its scope for a task that the block returns",
  virtual(async () => {
    const group = await failure((group) => {
      group.createTask(() => failAfter(10, "boom"));
      return group.createTask(() => sleep(1000));
    });
    assertEquals(messages(group), ["boom"]);
    assertEquals(now(), 10);
    assertEquals(await taskGroup((each) => each.createTask(() => 7)), 7);
  }),
);

Deno.test(
  "two groups side by side in one task do not touch each other",
  virtual(async () => {
    const ends = await Promise.allSettled([
      taskGroup((group) => {
        group.createTask(() => failAfter(10, "boom"));
      }),
      taskGroup(async (group) => {
        const task = group.createTask(() => sleep(20, "quiet"));
        return await task + await sleep(5, "ly");
      }),
    ]);
    assertEquals(ends.map((end) => end.status), ["rejected", "fulfilled"]);
    assertEquals(ends[1]!.status === "fulfilled" && ends[1]!.value, "quietly");
    assertEquals(currentTask()!.cancelling(), 0);
  }),
);

Deno.test(
  "createTask() of a group takes a task's options, eager and a signal",
  virtual(async () => {
    const controller = new AbortController();
    const names: string[] = [];
    await taskGroup((group) => {
      group.createTask(() => names.push(currentTask()!.name), {
        name: "eager",
        eagerStart: true,
      });
      assertEquals(names, ["eager"]);
      group.createTask(() => sleep(1000), { signal: controller.signal });
      group.createTask(() => sleep(10).then(() => controller.abort()));
    });
    assertEquals(now(), 10);
  }),
);

Deno.test(
  "taskGroup() has a name for messages",
  virtual(async () => {
    const error = await assertRejects(
      () =>
        taskGroup((group) => {
          assertEquals(String(group), "<crawler open tasks=0 errors=0>");
          throw new RangeError("boom");
        }, { name: "crawler" }),
      ExceptionGroup,
    );
    assertEquals(
      error.message,
      "Unhandled errors in crawler (1 error: RangeError: boom)",
    );
  }),
);

Deno.test(
  "taskGroup() and its createTask() refuse what is not a function",
  virtual(async () => {
    await assertRejects(
      () => taskGroup(Promise.resolve() as never),
      TypeError,
      "Cannot open a task group as 'fn' must be a function: received a Promise",
    );
    await taskGroup((group) => {
      assertThrows(
        () => group.createTask(sleep(0) as never),
        TypeError,
        "write createTask(() => work())",
      );
      assertEquals(String(group), "<TaskGroup open tasks=0 errors=0>");
    });
    assertEquals(getRunningLoop().isRunning(), true);
  }),
);

Deno.test(
  "a group that fails leaves no cancellation behind that nobody asked for",
  virtual(async () => {
    const gone = createTask(() => sleep(60_000));
    const task = createTask(async () => {
      const group = taskGroup(async (group) => {
        group.createTask(async () => {
          try {
            await sleep(60_000);
          } finally {
            // deno-lint-ignore no-unsafe-finally -- the clean-up fails
            throw new Error("clean-up failed");
          }
        });
        await gone;
      });
      await assertRejects(() => group, ExceptionGroup);
      assertEquals(currentTask()!.cancelling(), 0);
      await sleep(1);
      return "went on";
    });
    await sleep(1);
    gone.cancel();
    assertEquals(await outcome(task), "went on");
  }),
);

Deno.test(
  "a task that starts eagerly and cancels its group is cancelled with it",
  virtual(async () => {
    await taskGroup((group) => {
      group.createTask(async () => {
        group.cancel();
        await sleep(3_600_000);
      }, { eagerStart: true });
    });
    assertEquals(now(), 0);
  }),
);

Deno.test(
  "a task that a group cancels by the signal is cancelled once, whatever task the loop came from",
  virtual(async () => {
    const log: string[] = [];
    const group = taskGroup(async (group) => {
      await sleep(0);
      group.createTask(async () => {
        const { signal } = currentTask()!;
        try {
          await new Promise((_, reject) => {
            signal.addEventListener("abort", () => reject(signal.reason));
          });
        } finally {
          await sleep(1);
          log.push("cleaned up");
        }
      });
      group.createTask(() => {
        throw new Error("failed");
      }, { eagerStart: true });
    });
    await assertRejects(() => group, ExceptionGroup);
    assertEquals(log, ["cleaned up"]);
  }),
);

Deno.test(
  "the tasks of a group are told why it cancels them, and who made it",
  virtual(async () => {
    const told: unknown[] = [];
    const tell = async () => {
      try {
        await sleep(60_000);
      } catch (error) {
        assertInstanceOf(error, CancelledError);
        told.push(error.reason ?? error.by);
        throw error;
      }
    };
    const reason = { code: 1 };
    await taskGroup(async (group) => {
      group.createTask(tell);
      await sleep(0);
      group.cancel(reason);
    });
    await failure((group) => {
      group.createTask(tell);
      group.createTask(async () => {
        await sleep(1);
        throw new Error("failed");
      }, { name: "culprit" });
    });
    assertEquals(told, [reason, "culprit"]);
  }),
);

Deno.test(
  "an aborted signal ends the block and the tasks of a group, and throws its reason",
  virtual(async () => {
    const { signal, abort, listeners } = countingSignal();
    const reason = new Error("gone");
    const ends: number[] = [];
    const cleanUp = async () => {
      try {
        await sleep(60_000);
      } finally {
        ends.push(now());
        await sleep(5);
      }
    };
    const task = createTask(async () => {
      const error = await assertRejects(() =>
        taskGroup(async (group) => {
          group.createTask(cleanUp);
          await cleanUp();
        }, { signal })
      );
      assertStrictEquals(error, reason);
      assertEquals(currentTask()!.cancelling(), 0);
      await sleep(1);
      return now();
    });
    await sleep(10);
    abort(reason);
    // As in asyncio, the block ends first, and its tasks are cancelled then.
    assertEquals(await task, 21);
    assertEquals(ends, [10, 15]);
    assertEquals(listeners(), 0);
  }),
);

Deno.test(
  "an aborted signal reaches a group whose block has ended and whose tasks have not",
  virtual(async () => {
    const { signal, abort } = countingSignal();
    const reason = new Error("gone");
    const group = createTask(() =>
      taskGroup((group) => {
        group.createTask(() => sleep(60_000));
      }, { signal })
    );
    await sleep(10);
    abort(reason);
    assertStrictEquals(await assertRejects(() => group), reason);
    assertEquals(now(), 10);
  }),
);

Deno.test(
  "errors of tasks come before the reason of a group's signal",
  virtual(async () => {
    const { signal, abort } = countingSignal();
    const group = createTask(() =>
      taskGroup((group) => {
        group.createTask(async () => {
          try {
            await sleep(60_000);
          } catch {
            throw new RangeError("in its clean-up");
          }
        });
      }, { signal })
    );
    await sleep(10);
    abort(new Error("gone"));
    const error = await assertRejects(() => group, ExceptionGroup);
    assertEquals(messages(error), ["in its clean-up"]);
  }),
);

Deno.test(
  "taskGroup() does not call a block whose signal is aborted",
  virtual(async () => {
    const reason = new Error("gone");
    const signal = AbortSignal.abort(reason);
    let calls = 0;
    const error = await assertRejects(() =>
      taskGroup(() => calls++, { signal })
    );
    assertStrictEquals(error, reason);
    assertEquals(calls, 0);
  }),
);

Deno.test(
  "a group with a signal is cancelled with its task, and gives its value",
  virtual(async () => {
    const { signal, listeners } = countingSignal();
    const task = createTask(() => taskGroup(() => sleep(60_000), { signal }));
    await sleep(1);
    task.cancel();
    await assertRejects(() => task, CancelledError);
    const value = await taskGroup(async (group) => {
      group.cancel("quietly");
      await sleep(1);
    }, { signal });
    assertEquals(value, undefined);
    assertEquals(await taskGroup(() => 7, { signal }), 7);
    assertEquals(listeners(), 0);
  }),
);
