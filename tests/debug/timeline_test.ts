import {
  createTask,
  Event,
  exploreCancellations,
  exploreSchedules,
  gather,
  getRunningLoop,
  type Instrument,
  Lock,
  Queue,
  recordTimeline,
  run,
  runVirtual,
  ScheduleError,
  sleep,
  taskGroup,
  Timeline,
  type TraceEvent,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { checkTraceEvents } from "../_support/trace_events.ts";

/** Records what `body` does, in virtual time. */
async function recorded(
  body: () => PromiseLike<unknown>,
  capacity?: number,
): Promise<readonly TraceEvent[]> {
  return await runVirtual(async () => {
    using timeline = recordTimeline({ capacity });
    await body();
    return timeline.stop().traceEvents;
  });
}

function find(events: readonly TraceEvent[], name: string): TraceEvent {
  const found = events.find((each) => each.name === name && each.ph !== "M");
  assert(found !== undefined, `no ${name} in ${JSON.stringify(events)}`);
  return found;
}

/** The arrows of a kind, as pairs of the names of lanes. */
function arrows(events: readonly TraceEvent[], cat: string): string[] {
  const lanes = new Map(
    events.filter((each) => each.cat === "task").map((
      { tid, name },
    ) => [tid, name]),
  );
  return events.filter((each) => each.cat === cat && each.ph === "s").map(
    ({ id, tid }) => {
      const end = events.find((each) => each.ph === "f" && each.id === id)!;
      return `${lanes.get(tid)} > ${lanes.get(end.tid)}`;
    },
  );
}

Deno.test("a timeline has a lane a task, with its waits in it", async () => {
  const events = await recorded(() =>
    createTask(async () => {
      await sleep(2);
      await sleep(3);
    }, { name: "nap" })
  );
  checkTraceEvents(events);
  const nap = find(events, "nap");
  const [first, second] = [find(events, "sleep(2)"), find(events, "sleep(3)")];
  assertEquals([first.dur, second.dur, nap.dur], [2000, 3000, 5000]);
  assertEquals([first.tid, second.tid], [nap.tid, nap.tid]);
  assertEquals(nap.args, { outcome: "finished" });
  const lane = events.find(({ ph, tid }) => ph === "M" && tid === nap.tid);
  assertEquals(lane?.args, { name: "\u2514\u2500 nap" });
});

Deno.test("several waits of one task at once do not cross in a timeline", async () => {
  const events = await recorded(() =>
    createTask(async () => {
      await Promise.all([sleep(2), sleep(5), sleep(9)]);
      await sleep(1);
    })
  );
  checkTraceEvents(events);
  const phases = ["sleep(2)", "sleep(5)", "sleep(9)", "sleep(1)"]
    .map((name) => find(events, name).ph);
  assertEquals(phases, ["X", "b", "b", "X"]);
});

Deno.test("a timeline names who holds a lock, and how a task failed", async () => {
  const events = await recorded(async () => {
    const lock = new Lock({ name: "door" });
    const holder = createTask(() => lock.with(() => sleep(5)), {
      name: "holder",
    });
    const other = createTask(async () => {
      using _hold = await lock.acquire();
      throw new Error("no");
    }, { name: "other" });
    await holder;
    await other.catch(() => {});
  });
  checkTraceEvents(events);
  find(events, "Lock.acquire on door (held by holder)");
  const failed = find(events, "Error: no");
  assertEquals([failed.cat, failed.ph, failed.tid], [
    "error",
    "i",
    find(events, "other").tid,
  ]);
  assertEquals(find(events, "other").args, {
    outcome: "failed",
    error: "Error: no",
  });
});

Deno.test("a timeline tells why and by whom a task was cancelled", async () => {
  const events = await recorded(() =>
    createTask(async () => {
      const child = createTask(() => sleep(60), { name: "child" });
      await sleep(1);
      child.cancel("enough");
      await child.catch(() => {});
    }, { name: "parent" })
  );
  checkTraceEvents(events);
  const [child, cancel] = [find(events, "child"), find(events, "cancel")];
  assertEquals([cancel.tid, cancel.ts - child.ts], [child.tid, 1000]);
  assertEquals([cancel.args?.["message"], cancel.args?.["by"]], [
    "enough",
    "parent",
  ]);
  assertEquals(child.args, { outcome: "cancelled" });
});

Deno.test("an arrow of a timeline leads from a task to the one it made", async () => {
  const events = await recorded(() =>
    createTask(async () => {
      await createTask(() => sleep(1), { name: "child" });
    }, { name: "parent" })
  );
  checkTraceEvents(events);
  const [byMain, byParent, ...others] = arrows(events, "spawn");
  assert(/^Task-\d+ > parent$/.test(byMain!));
  assertEquals([byParent, others], ["parent > child", []]);
});

Deno.test("an arrow of a timeline leads from who wakes a task to that task", async () => {
  const [event, lock] = [new Event(), new Lock()];
  const queue = new Queue<number>();
  const events = await recorded(async () => {
    const tasks = [
      createTask(async () => {
        await event.wait();
        using _hold = await lock.acquire();
        await queue.put(1);
      }, { name: "first" }),
      createTask(async () => {
        using _hold = await lock.acquire();
        await sleep(1);
        event.set();
        await sleep(1);
      }, { name: "second" }),
      createTask(() => queue.get(), { name: "third" }),
    ];
    for (const task of tasks) await task;
  });
  checkTraceEvents(events);
  const woken = arrows(events, "wake").filter((each) => !/Task-/.test(each));
  assertEquals(woken, ["second > first", "second > first", "first > third"]);
});

Deno.test("who ends last wakes those that wait for a group, a gather or a task", async () => {
  const nap = (name: string, ms: number) => () =>
    createTask(() => sleep(ms), { name });
  const events = await recorded(() =>
    createTask(async () => {
      await taskGroup((group) => {
        group.createTask(() => sleep(1), { name: "in group" });
        group.createTask(() => sleep(2), { name: "last in group" });
      });
      await gather([nap("gathered", 1)(), nap("gathered last", 2)()]);
      await nap("awaited", 1)();
    }, { name: "main" })
  );
  checkTraceEvents(events);
  const woken = arrows(events, "wake").filter((each) => / > main$/.test(each));
  assertEquals(woken, [
    "last in group > main",
    "gathered last > main",
    "awaited > main",
  ]);
});

Deno.test("a cancellation has an arrow from who asked to who goes on", async () => {
  const events = await recorded(() =>
    createTask(async () => {
      const child = createTask(() => sleep(60), { name: "child" });
      await sleep(1);
      child.cancel(7);
      await child.catch(() => {});
    }, { name: "parent" })
  );
  checkTraceEvents(events);
  assertEquals(arrows(events, "wake").slice(0, 1), ["parent > child"]);
  assertEquals(find(events, "cancel").args?.["reason"], "7");
});

Deno.test("the lanes of a timeline stand below those that await them", async () => {
  const events = await recorded(() =>
    createTask(() =>
      taskGroup((group) => {
        group.createTask(async () => {
          await createTask(() => sleep(1), { name: "leaf" });
        }, { name: "twig" });
        group.createTask(() => sleep(2), { name: "other twig" });
      }), { name: "root" })
  );
  const lanes = events.filter(({ name }) => name === "thread_name");
  assertEquals(lanes.map(({ args }) => args?.["name"]).slice(-4), [
    "\u2514\u2500 root",
    "   \u2514\u2500 twig",
    "      \u2514\u2500 leaf",
    "   \u2514\u2500 other twig",
  ]);
  const order = events.filter(({ name }) => name === "thread_sort_index");
  assertEquals(
    order.map(({ args }) => args?.["sort_index"]),
    order.map((_, index) => index + 1),
  );
});

Deno.test("what went on before a recording is in it, with what it waits for", async () => {
  const { traceEvents } = await runVirtual(async () => {
    const lock = new Lock({ name: "door" });
    const tasks = ["holder", "waiter"].map((name) =>
      createTask(() => lock.with(() => sleep(50)), { name })
    );
    await sleep(10);
    const timeline = recordTimeline();
    await sleep(10);
    const result = timeline.stop();
    for (const task of tasks) await task;
    return result;
  });
  checkTraceEvents(traceEvents);
  for (const name of ["sleep(50)", "Lock.acquire on door (held by holder)"]) {
    const wait = find(traceEvents, name);
    assertEquals([wait.ts, wait.dur], [10_000, 10_000]);
    assertEquals(wait.args, { outcome: "pending" });
  }
});

Deno.test("a wait that is longer than the memory of a timeline is in it whole", async () => {
  const events = await recorded(async () => {
    const long = createTask(() => sleep(1000), { name: "long" });
    for (let i = 0; i < 100; i++) await sleep(5);
    await long;
  }, 20);
  checkTraceEvents(events);
  assertEquals([find(events, "sleep(1000)").dur], [1_000_000]);
});

/** Records code that works for some time: for no less than it says. */
async function inSteps(
  body: (work: (ms: number) => void) => Promise<unknown>,
): Promise<readonly TraceEvent[]> {
  return await run(async () => {
    const timeline = recordTimeline({ longStepMs: 2 });
    await body((ms) => {
      const end = performance.now() + ms;
      while (performance.now() < end);
    });
    return timeline.stop().traceEvents;
  });
}

function longSteps(events: readonly TraceEvent[]): (string | undefined)[] {
  return events.filter(({ cat }) => cat === "long_step").map(({ tid, args }) =>
    events.find((each) => each.cat === "task" && each.tid === tid)?.name ??
      String(args?.["callback"] ?? args?.["oneOf"])
  );
}

Deno.test("a long step is shown in the lane of its task, with its length", async () => {
  const events = await inSteps(async (work) => {
    const slow = async () => {
      work(3);
      await sleep(1);
    };
    await createTask(slow, { name: "slow at its start" });
    await createTask(async () => {
      await sleep(1);
      work(3);
    }, { name: "slow at its end" });
    await createTask(async () => {
      await sleep(1);
      work(3);
      await fetch("data:,").then((response) => response.text());
      await sleep(1);
    }, { name: "slow before a foreign await" });
  });
  checkTraceEvents(events);
  const names = new Set(longSteps(events));
  for (const when of ["at its start", "at its end", "before a foreign await"]) {
    assert(names.has(`slow ${when}`), [...names].join());
  }
  for (const { cat, dur } of events) {
    if (cat === "long_step") assert(dur! >= 2000);
  }
});

Deno.test("a long callback is shown as well, and names itself", async () => {
  const events = await inSteps(async (work) => {
    getRunningLoop().callLater(1, function grind() {
      work(3);
    });
    await sleep(5);
    await sleep(1);
  });
  checkTraceEvents(events);
  assert(longSteps(events).some((name) => name?.includes("TimerHandle")));
});

Deno.test("a long step among very short ones names who may have been it, and from then on who it is", async () => {
  const events = await inSteps(async (work) => {
    const turns = async () => {
      for (let i = 0; i < 5000; i++) await sleep(0);
    };
    await gather([
      ...Array.from({ length: 5 }, () => turns),
      async () => {
        for (let i = 0; i < 2000; i++) await sleep(0);
        for (let i = 0; i < 40; i++) {
          work(2.5);
          await sleep(0);
        }
      },
    ].map((fn, i) => createTask(fn, { name: `turner ${i}` })));
  });
  checkTraceEvents(events);
  const exact = longSteps(events).filter((name) => name === "turner 5");
  assert(exact.length >= 10, JSON.stringify(longSteps(events)));
});

Deno.test("every sleep(0) is in a timeline, and heard of by others, who may come and go", async () => {
  await run(async () => {
    const loop = getRunningLoop();
    using timeline = recordTimeline();
    let [begun, ended] = [0, 0];
    const other: Instrument = {
      waitStarted: () => void begun++,
      waitEnded: () => void ended++,
    };
    await createTask(async () => {
      for (let i = 0; i < 1000; i++) {
        if (i === 500) loop.addInstrument(other);
        if (i === 600) loop.removeInstrument(other);
        await sleep(0);
      }
    }, { name: "turner" });
    const { traceEvents } = timeline.stop();
    checkTraceEvents(traceEvents);
    assertEquals([begun, ended], [100, 100]);
    const { tid } = find(traceEvents, "turner");
    const waits = traceEvents.filter((each) =>
      each.tid === tid && each.name === "sleep(0)"
    );
    assertEquals(waits.length, 1000);
  });
});

Deno.test("what goes on when its task has ended is in a timeline up to that end", async () => {
  const events = await recorded(async () => {
    await createTask(async () => {
      Promise.all([sleep(2), sleep(3)]);
      await sleep(1);
    }, { name: "careless" });
    await sleep(10);
  });
  checkTraceEvents(events);
  assertEquals(find(events, "careless").dur, 1000);
});

Deno.test("two timelines of one loop have the same in them", async () => {
  await run(async () => {
    const timelines = [recordTimeline(), recordTimeline()];
    await gather([1, 2, 3].map((name) =>
      createTask(async () => {
        for (let i = 0; i < 100; i++) await sleep(0);
      }, { name: `turner ${name}` })
    ));
    const counts = timelines.map((timeline) => {
      const { traceEvents } = timeline.stop();
      checkTraceEvents(traceEvents);
      return traceEvents.filter(({ name }) => name === "sleep(0)").length;
    });
    assertEquals(counts, [300, 300]);
  });
});

Deno.test("a timeline keeps the newest of what happened, and counts the rest", async () => {
  await runVirtual(async () => {
    const timeline = recordTimeline({ capacity: 10 });
    for (let ms = 1; ms <= 100; ms++) await sleep(ms);
    const { traceEvents, otherData } = timeline.stop();
    checkTraceEvents(traceEvents);
    const names = traceEvents.filter(({ cat }) => cat === "wait")
      .map((e) => e.name);
    assert(!names.includes("sleep(1)"));
    assert(names.includes("sleep(100)"));
    assert(names.length <= 10);
    assert(timeline.dropped >= 190);
    assertEquals(otherData.dropped, timeline.dropped);
  });
});

Deno.test("a timeline of many tasks forgets those whose events it has dropped", async () => {
  const events = await recorded(async () => {
    for (let i = 0; i < 100; i++) {
      await createTask(() => sleep(1), { name: `task ${i}` });
    }
  }, 40);
  checkTraceEvents(events);
  const tasks = events.filter(({ cat }) => cat === "task");
  assert(tasks.length < 20, `${tasks.length}`);
  find(events, "task 99");
});

Deno.test("a test that fails in some order, or if cancelled, leaves the timeline of its last run", async () => {
  for (const explore of [exploreSchedules, exploreCancellations]) {
    let last: readonly TraceEvent[] = [];
    const error = await assertRejects(
      () =>
        explore(async () => {
          using timeline = recordTimeline();
          const done: string[] = [];
          const tasks = ["first", "second"].map((name) =>
            createTask(async () => {
              await sleep(1);
              done.push(name);
            }, { name })
          );
          for (const task of tasks) await task.catch(() => {});
          if (done.join() === "first,second") return;
          last = timeline.stop().traceEvents;
          throw new Error("not in order");
        }),
      ScheduleError,
    );
    assert(error.replay !== undefined);
    checkTraceEvents(last);
    find(last, "second");
  }
});

Deno.test("a timeline that is stopped records no more, and gives the same", async () => {
  await runVirtual(async () => {
    const timeline = recordTimeline();
    const task = createTask(() => sleep(60), { name: "pending" });
    await sleep(1);
    const result = timeline.stop();
    checkTraceEvents(result.traceEvents);
    assertEquals(
      find(result.traceEvents, "pending").args?.["outcome"],
      "pending",
    );
    await task;
    timeline[Symbol.dispose]();
    assert(timeline instanceof Timeline);
    assertEquals(timeline.stop(), result);
  });
});

Deno.test("recordTimeline refuses what is no loop, and no room", () => {
  assertThrows(
    () => recordTimeline({ loop: {} as never }),
    TypeError,
    "Cannot record a timeline as 'loop' must be an event loop",
  );
  assertThrows(() => recordTimeline({ capacity: 0 }), RangeError, "at least 1");
  assertThrows(
    () => recordTimeline({ capacity: Infinity }),
    RangeError,
    "'capacity' must be an integer of at least 1: received Infinity",
  );
  assertThrows(
    () => recordTimeline({ longStepMs: -1 }),
    RangeError,
    "longStep",
  );
});
