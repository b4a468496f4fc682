import {
  Condition,
  createTask,
  exploreCancellations,
  gather,
  InvalidStateError,
  Lock,
  moveOnAfter,
  openChannel,
  Queue,
  run,
  runVirtual,
  ScheduleError,
  Semaphore,
  shielded,
  sleep,
  taskGroup,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";
import * as testing from "@asyncio/asyncio/testing";
import {
  assert,
  assertEquals,
  assertGreater,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";

/** Carries an item from one queue to the other: it must not be lost. */
async function carry(
  from: Queue<string>,
  to: Queue<string>,
  givesBack: boolean,
): Promise<void> {
  const item = await from.get();
  try {
    await sleep(10);
    await to.put(item);
  } catch (error) {
    if (givesBack) from.putNowait(item);
    throw error;
  }
}

function parcel(givesBack: boolean): () => Promise<void> {
  return async () => {
    const [from, to] = [new Queue<string>(), new Queue<string>()];
    const carrier = createTask(() => carry(from, to, givesBack), {
      name: "carrier",
    });
    await sleep(5);
    from.putNowait("parcel");
    await carrier.catch(() => {});
    assertEquals(from.size + to.size, 1, "the parcel is lost");
  };
}

Deno.test("@asyncio/asyncio/testing has exploreCancellations()", () => {
  assertStrictEquals(testing.exploreCancellations, exploreCancellations);
});

Deno.test("exploreCancellations() finds the wait at which an item is lost, and names it and its line", async () => {
  const error = await assertRejects(
    () => exploreCancellations(parcel(false)),
    ScheduleError,
  );
  const lines = error.message.split("\n");
  const [first, line, repeat] = [lines[0], lines.at(-2), lines.at(-1)];
  assert(
    /^Failed with task "carrier" cancelled at .*sleep\(10\)/.test(first!),
    first,
  );
  assert(/explore_cancellations_test\.[jt]s:\d+/.test(line!), line);
  assertEquals(repeat, `  To repeat: { replay: "${error.replay}" }`);
  const again = await assertRejects(
    () => exploreCancellations(parcel(false), { replay: error.replay }),
    ScheduleError,
  );
  assertEquals(again.message, error.message);
});

Deno.test("exploreCancellations() passes a test that no cancellation breaks, once for each point", async () => {
  let runs = 0;
  const seen = await exploreCancellations(async () => {
    runs++;
    await parcel(true)();
  });
  assertEquals(seen.complete, true);
  assertEquals(seen.runs, runs);
  assertEquals(seen.choices, runs - 1);
  assertGreater(runs, 4);
});

Deno.test("exploreCancellations() cancels the tasks that were named, and never the test's own", async () => {
  const cancelled = new Set<string>();
  const test = async () => {
    const work = (name: string) =>
      createTask(async () => {
        try {
          await sleep(1);
        } catch (error) {
          cancelled.add(name);
          throw error;
        }
      }, { name });
    await Promise.allSettled([work("a"), work("b")]);
  };
  await exploreCancellations(test, { tasks: ["b"] });
  assertEquals([...cancelled], ["b"]);
  await exploreCancellations(test);
  assertEquals([...cancelled].toSorted(), ["a", "b"]);
});

Deno.test("a test that fails without a cancellation is said to", async () => {
  await assertRejects(
    () => exploreCancellations(() => Promise.reject(new Error("no"))),
    ScheduleError,
    "Failed without a cancellation: no",
  );
});

Deno.test("exploreCancellations() refuses what makes no sense", async () => {
  const refused: [() => Promise<unknown>, string][] = [
    [
      () => exploreCancellations(1 as never),
      "Cannot explore cancellations as 'fn' must be a function",
    ],
    [
      () => exploreCancellations(() => {}, { tasks: "a" as never }),
      "Cannot explore cancellations as 'tasks' must be an array of names: received",
    ],
    [
      () => exploreCancellations(() => {}, { replay: "0:1" }),
      "Cannot explore cancellations as 'replay' must be the 'replay' of",
    ],
  ];
  for (const [call, message] of refused) {
    await assertRejects(call, TypeError, message);
  }
});

/** Three tasks that use something, and what must hold when they have ended. */
const holds: Record<string, () => Promise<void>> = {
  "a lock is free": async () => {
    const lock = new Lock();
    const use = () => createTask(() => lock.with(() => sleep(1)));
    await Promise.allSettled([use(), use(), use()]);
    assertEquals(lock.locked(), false);
  },
  "a semaphore has all its permits": async () => {
    const semaphore = new Semaphore(2);
    const use = () => createTask(() => semaphore.with(() => sleep(1)));
    await Promise.allSettled([use(), use(), use()]);
    assert(semaphore.tryAcquire() !== null);
    assert(semaphore.tryAcquire() !== null);
    assertEquals(semaphore.tryAcquire(), null);
  },
  "a condition leaves its lock free": async () => {
    const condition = new Condition();
    const use = () => createTask(() => condition.with(() => condition.wait()));
    const users = [use(), use(), use()];
    await sleep(1);
    await condition.with(() => condition.notifyAll());
    await Promise.allSettled(users);
    assertEquals(condition.locked(), false);
  },
  "a queue loses no item": async () => {
    const queue = new Queue<number>({ maxSize: 1 });
    const got: number[] = [];
    const put: number[] = [];
    const putters = [1, 2, 3].map((item) =>
      createTask(async () => {
        await queue.put(item);
        put.push(item);
      })
    );
    // Two of them wait by then, and at last getters do.
    await sleep(1);
    const getters = [1, 2, 3, 4].map(() =>
      createTask(async () => {
        got.push(await queue.get());
      })
    );
    const tasks = [...putters, ...getters];
    await sleep(5);
    for (const task of tasks) task.cancel();
    await Promise.allSettled(tasks);
    while (queue.size > 0) got.push(queue.getNowait());
    assertEquals(got.toSorted(), put.toSorted());
  },
  "a channel loses no item": async () => {
    const [send, receive] = openChannel<number>();
    const [got, sent]: [number[], number[]] = [[], []];
    const tasks = [1, 2, 3].flatMap((item) => [
      createTask(async () => {
        await send.send(item);
        sent.push(item);
      }),
      createTask(async () => {
        got.push(await receive.receive());
      }),
    ]);
    await sleep(5);
    for (const task of tasks) task.cancel();
    await Promise.allSettled(tasks);
    send.close();
    receive.close();
    assertEquals(got.toSorted(), sent.toSorted());
  },
};

for (const [what, test] of Object.entries(holds)) {
  Deno.test(`${what} whichever task is cancelled at whichever point`, async () => {
    const { complete, choices } = await exploreCancellations(test);
    assert(complete);
    assertGreater(choices, 6);
  });
}

// ── timeouts ───────────────────────────────────────────────────────────────

/** Carries an item within its time, and may lose it when that is over. */
function limited(givesBack: boolean): () => Promise<void> {
  return async () => {
    const [from, to] = [new Queue<string>(), new Queue<string>()];
    from.putNowait("parcel");
    const carry = async () => {
      const item = await from.get();
      try {
        await sleep(10);
        await to.put(item);
      } catch (error) {
        if (givesBack) from.putNowait(item);
        throw error;
      }
    };
    const carrier = createTask(
      () => timeout(60_000, carry),
      { name: "carrier" },
    );
    await carrier.catch((error: unknown) => {
      assert(error instanceof TimeoutError, `${error}`);
    });
    assertEquals(from.size + to.size, 1);
  };
}

Deno.test("with 'by', a timeout is over at each wait in it", async () => {
  await runVirtual(limited(false));
  const error = await assertRejects(
    () => exploreCancellations(limited(false), { by: "timeout" }),
    ScheduleError,
  );
  const lines = error.message.split("\n");
  assert(
    /^Failed with a timeout of task "carrier" over at .*sleep\(10\)/.test(
      lines[0]!,
    ),
    lines[0],
  );
  assert(/explore_cancellations_test\.[jt]s:\d+/.test(error.message));
  assertEquals(lines.at(-1), `  To repeat: { replay: "${error.replay}" }`);
  const again = await assertRejects(
    () => exploreCancellations(limited(false), { replay: error.replay }),
    ScheduleError,
  );
  assertEquals(again.message, error.message);
  const seen = await exploreCancellations(limited(true), { by: "timeout" });
  assert(seen.complete);
  assertGreater(seen.choices, 2);
});

Deno.test("the timeout that is over is the innermost of the task itself", async () => {
  const ended = new Set<string>();
  const test = () =>
    timeout(1000, () =>
      taskGroup((group) => {
        group.createTask(() => sleep(1));
        group.createTask(async () => {
          const got = await moveOnAfter(500, () => sleep(1, "slept"));
          ended.add(got ?? "moved on");
        });
        group.createTask(async () => {
          await timeout(700, () =>
            timeout(300, () => sleep(1)).catch((error) => {
              ended.add((error as Error).message);
            }));
        });
        // Nothing interrupts these: the time of the one is endless, and the
        // other is shielded from it.
        group.createTask(() => timeout(null, () => sleep(1)));
        group.createTask(() => timeout(600, () => shielded(() => sleep(1))));
      }));
  await exploreCancellations(test, { by: "timeout" });
  assertEquals([...ended].toSorted(), [
    "The time is over after 300 ms",
    "moved on",
    "slept",
  ]);
});

Deno.test("without a timeout in a task there is no point for one", async () => {
  const { runs, choices } = await exploreCancellations(
    () => gather([() => sleep(1), () => sleep(1)]),
    { by: "timeout" },
  );
  assertEquals([runs, choices], [1, 0]);
});

Deno.test("exploreCancellations() refuses another interruption, and a loop that runs", async () => {
  await assertRejects(
    () => exploreCancellations(() => {}, { by: "power cut" as never }),
    RangeError,
    "Cannot explore cancellations as 'by' must be one of cancel, timeout, crash: received",
  );
  await run(() =>
    assertRejects(
      () => exploreCancellations(() => {}),
      InvalidStateError,
      "Cannot run a second event loop inside of a running one",
    )
  );
});

Deno.test("an aborted signal ends exploreCancellations() between two runs, or before the first", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const reason = new Error("out of patience");
  let runs = 0;
  const test = async () => {
    await gather([() => sleep(1), () => sleep(1)], { returnExceptions: true });
    if (++runs === 2) controller.abort(reason);
  };
  for (let call = 0; call < 2; call++) {
    const error = await assertRejects(() =>
      exploreCancellations(test, { signal })
    );
    assertStrictEquals(error, reason);
    assertEquals(runs, 2);
  }
});
