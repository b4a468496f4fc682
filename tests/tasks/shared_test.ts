import {
  cancelSignal,
  captureCallGraph,
  ContextVar,
  createTask,
  gather,
  getRunningLoop,
  run,
  shared,
  sleep,
  type Task,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { hops, MANY_HOPS, outcomes } from "../_support/outcome.ts";
import { collectReports, now, turns, virtual } from "../_support/virtual.ts";

/** A load that takes ten milliseconds, and a log of how its runs went. */
function loader(log: string[]) {
  return shared(async (key: string) => {
    log.push(`begin ${key}`);
    try {
      await sleep(10);
      log.push(`end ${key}`);
      return `${key} at ${now()}`;
    } finally {
      if (log.at(-1) !== `end ${key}`) log.push(`cancelled ${key}`);
    }
  });
}

Deno.test(
  "shared() runs once for all who call with one key meanwhile",
  virtual(async () => {
    const log: string[] = [];
    const load = loader(log);
    const values = await gather([
      () => load("a"),
      () => load("b"),
      () => sleep(5).then(() => load("a")),
    ]);
    assertEquals(values, ["a at 10", "b at 10", "a at 10"]);
    assertEquals(log, ["begin a", "begin b", "end a", "end b"]);
  }),
);

Deno.test(
  "nothing is kept of a run that has ended, be it a result or an error",
  virtual(async () => {
    let runs = 0;
    const load = shared((_: string) => {
      runs++;
      if (runs === 1) throw new Error("first");
      return runs;
    });
    await assertRejects(() => load("a"), Error, "first");
    assertEquals(await load("a"), 2);
    assertEquals(await load("a"), 3);
  }),
);

Deno.test(
  "an error of a run reaches all that wait",
  virtual(async () => {
    const load = shared(async () => {
      await sleep(1);
      throw new Error("no route");
    });
    const errors = await Promise.all(
      [1, 2, 3].map(() => assertRejects(() => load(), Error, "no route")),
    );
    assertStrictEquals(errors[0], errors[2]);
  }),
);

Deno.test(
  "a caller that is cancelled leaves the run to the others",
  virtual(async () => {
    const log: string[] = [];
    const load = loader(log);
    const tasks = [1, 2, 3].map(() => createTask(() => load("a")));
    await sleep(5);
    tasks[0]!.cancel();
    tasks[2]!.cancel();
    assertEquals(await outcomes(tasks), [
      "CancelledError",
      "a at 10",
      "CancelledError",
    ]);
    assertEquals(log, ["begin a", "end a"]);
  }),
);

Deno.test(
  "the last caller's leaving cancels the run, and waits for its clean-up",
  virtual(async () => {
    const log: string[] = [];
    const load = shared(async () => {
      try {
        await sleep(100);
      } finally {
        await sleep(7);
        log.push(`cleaned up at ${now()}`);
      }
    });
    const tasks = [1, 2].map(() => createTask(() => load()));
    await sleep(5);
    for (const task of tasks) task.cancel();
    assertEquals(await outcomes(tasks), ["CancelledError", "CancelledError"]);
    assertEquals([log, now()], [["cleaned up at 12"], 12]);
  }),
);

Deno.test(
  "a timeout around the last call cancels the run",
  virtual(async () => {
    const log: string[] = [];
    const load = loader(log);
    await assertRejects(() => timeout(5, () => load("a")), TimeoutError);
    assertEquals(log, ["begin a", "cancelled a"]);
  }),
);

Deno.test(
  "who calls while a run is being cancelled begins another",
  virtual(async () => {
    let runs = 0;
    const load = shared(async () => {
      const run = ++runs;
      try {
        await sleep(10);
      } finally {
        await sleep(10);
      }
      return run;
    });
    const first = createTask(() => load());
    await sleep(5);
    first.cancel();
    await sleep(1);
    assertEquals(await load(), 2);
    assertEquals(await outcomes([first]), ["CancelledError"]);
    assertEquals(await load(), 3);
  }),
);

Deno.test(
  "a run that declines to be cancelled gives the last one its value",
  virtual(async () => {
    const load = shared(async () => {
      await sleep(100).catch(() => {});
      return "all the same";
    });
    const task = createTask(() => load());
    await sleep(5);
    task.cancel();
    assertEquals(await task, "all the same");
  }),
);

Deno.test(
  "a run that is cancelled from elsewhere tells all, and they go on",
  virtual(async () => {
    let inner!: AbortSignal;
    const task = createTask(() => sleep(100));
    const load = shared(async () => {
      inner = cancelSignal();
      await task;
    });
    const callers = [1, 2].map(() => createTask(() => load()));
    await sleep(1);
    task.cancel("elsewhere");
    assertEquals(await outcomes(callers), ["CancelledError", "CancelledError"]);
    assertEquals(callers.map((each) => each.cancelling()), [0, 0]);
    assert(!inner.aborted);
  }),
);

Deno.test(
  "a caller cancelled at any point of the run's way loses nothing for another",
  virtual(async () => {
    for (let before = 0; before < MANY_HOPS; before++) {
      const reports = collectReports();
      let fails = false;
      const load = shared(async (_: string) => {
        await sleep(1);
        if (fails) throw new Error("x");
        return "value";
      });
      for (fails of [false, true]) {
        const tasks = [1, 2].map(() => createTask(() => load("a")));
        await createTask(async () => {
          await sleep(1);
          await hops(before);
          tasks[0]!.cancel();
        });
        const [, second] = await outcomes(tasks);
        assertEquals(second, fails ? "Error" : "value");
      }
      assertEquals(reports, []);
    }
  }),
);

Deno.test(
  "an error whose only caller was cancelled in the same instant is reported",
  virtual(async () => {
    const reports = collectReports();
    const loop = getRunningLoop();
    const cancelAfter = (iterations: number, task: Task) => {
      if (iterations === 0) task.cancel();
      else loop.callSoon(cancelAfter, iterations - 1, task);
    };
    const ends: unknown[] = [];
    for (let iterations = 0; iterations < 6; iterations++) {
      const end = loop.createFuture<void>();
      const load = shared(() => end);
      const task = createTask(() => load());
      await turns(3);
      end.setException(new Error("x"));
      cancelAfter(iterations, task);
      ends.push(...await outcomes([task]));
      await turns(2);
    }
    assertEquals(ends.at(-1), "Error");
    assert(reports.length > 0);
    // The others were in time: they have cancelled the run, which did not fail.
    assert(reports.length <= ends.filter((end) => end !== "Error").length);
    for (const { message } of reports) {
      assertEquals(
        message,
        "Exception in a shared run that nobody waits for any more",
      );
    }
  }),
);

Deno.test(
  "a run has the context variables of its first caller",
  virtual(async () => {
    const user = new ContextVar("user", { defaultValue: "nobody" });
    const load = shared(() => sleep(1).then(() => user.get()));
    const names = await gather(["ada", "bob"].map((name) => () => {
      user.set(name);
      return load();
    }));
    assertEquals(names, ["ada", "ada"]);
  }),
);

Deno.test(
  "the call graph tells who waits for a run",
  virtual(async () => {
    let graph = "";
    const load = shared(async () => {
      await sleep(1);
      graph = captureCallGraph()!.awaitedBy.map(({ future }) =>
        (future as Task).name
      ).join();
    });
    await gather([
      createTask(() => load(), { name: "a" }),
      createTask(() => load(), { name: "b" }),
    ]);
    assertEquals(graph, "a,b");
  }),
);

Deno.test("each loop has runs of its own", async () => {
  let runs = 0;
  const load = shared(async () => {
    runs++;
    await sleep(5);
  });
  await Promise.all([run(() => load()), run(() => load())]);
  assertEquals(runs, 2);
});

Deno.test("shared() refuses what is no function", () => {
  assertThrows(
    () => shared(Promise.resolve() as never),
    TypeError,
    "Cannot share runs as 'fn' must be a function",
  );
});
