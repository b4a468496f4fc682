import {
  CancelledError,
  createTask,
  currentTask,
  type ExceptionContext,
  gather,
  getEventLoop,
  getRunningLoop,
  isCancelledError,
  newEventLoop,
  openChannel,
  Queue,
  runVirtual,
  shield,
  sleep,
  type Task,
  taskGroup,
  timeout,
  VirtualClock,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { hostTimers } from "../../platform/timers.ts";
import { collectUntil, hasGc } from "../_support/gc.ts";
import { runProgram } from "../_support/programs.ts";
import { collectReports, deferred } from "../_support/virtual.ts";
import { needs } from "../_support/runtimes.ts";
import { CALLER_FRAMES } from "../../platform/limits.ts";

const OUTLIVES = "The task ended while work that it started goes on";
const SWALLOWED = "The task was cancelled but ended as if it were not";
const LOST_GATHERED = "A gathered task failed after another one had";
const STUCK = "is still in an await that the library cannot interrupt";

/**
 * Runs `body` in virtual time and in debug mode; gives what was reported. Slow
 * steps are not, on a machine of any speed, unless `body` asks for it.
 */
async function debugged(
  body: () => PromiseLike<unknown> | unknown,
): Promise<ExceptionContext[]> {
  let reports: ExceptionContext[] = [];
  await runVirtual(async () => {
    reports = collectReports();
    getRunningLoop().slowCallbackDuration = Infinity;
    await body();
  }, { debug: true });
  return reports;
}

function messages(reports: ExceptionContext[]): string[] {
  return reports.map(({ message }) => message);
}

/** Holds the loop for longer than a step should take. */
function block(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

/** Runs `body` with what is written to stderr kept. */
async function stderrOf(body: () => PromiseLike<void> | void): Promise<string> {
  const lines: string[] = [];
  const { error } = console;
  console.error = (line: string) => {
    lines.push(line);
  };
  try {
    await body();
  } finally {
    console.error = error;
  }
  return lines.join("\n");
}

// ── D1: errors never retrieved ─────────────────────────────────────────────

Deno.test({
  name: "D1 an error nobody retrieved is reported when its task is collected",
  ignore: !hasGc,
  fn: () =>
    runVirtual(async () => {
      const reports = collectReports();
      const error = new RangeError("lost");
      (() => {
        createTask(() => Promise.reject(error), { name: "loser" });
      })();
      await sleep(1);
      // Bun collects by itself in less time.
      if (!("Bun" in globalThis)) assertEquals(reports, []);
      await collectUntil(() => reports.length > 0);
      assertStrictEquals(reports[0]?.error, error);
      assertEquals(messages(reports), [
        `<Task failed RangeError: lost name="loser"> failed and its error was never retrieved`,
      ]);
    }),
});

Deno.test({
  name: "D1 an error nobody retrieved is reported when its future is collected",
  ignore: !hasGc,
  fn: () =>
    runVirtual(async () => {
      const reports = collectReports();
      (() => getEventLoop().createFuture().setException(new Error("lost")))();
      await collectUntil(() => reports.length > 0);
      assertEquals(messages(reports), [
        "<Future failed Error: lost> failed and its error was never retrieved",
      ]);
    }),
});

Deno.test("D1 an error nobody retrieved is reported when the loop is closed", async () => {
  const reports = await debugged(async () => {
    createTask(() => Promise.reject(new Error("lost")), { name: "loser" });
    await sleep(0);
  });
  assertStringIncludes(reports[0]!.message, "never retrieved");
  assertStringIncludes(reports[0]!.createdAt!, "mode_test");
  assertEquals(reports.length, 1);
});

Deno.test("D1 an error that was retrieved, or a cancellation, is not reported", async () => {
  const fail = () => Promise.reject(new Error("known"));
  const reports = await debugged(async () => {
    await assertRejects(() => createTask(fail));
    const asked = createTask(fail);
    const called = createTask(fail);
    called.addDoneCallback((task) => task.exception());
    createTask(() => sleep(60_000)).cancel();
    await gather([fail], { returnExceptions: true });
    await sleep(1);
    assertEquals((asked.exception() as Error).message, "known");
  });
  assertEquals(messages(reports), []);
});

// ── D2: pending tasks that are destroyed ───────────────────────────────────

Deno.test("D2 a task that is pending when its loop is closed is reported", async () => {
  const loop = newEventLoop({ clock: new VirtualClock(), debug: true });
  const reports: ExceptionContext[] = [];
  loop.setExceptionHandler((context) => reports.push(context));
  const pending = loop.createTask(() => sleep(60_000));
  await loop.runUntilComplete(() => sleep(1));
  loop.close();
  assertEquals(messages(reports), ["Task was destroyed but it is pending!"]);
  assertStrictEquals(reports[0]!.task, pending);
  assertStringIncludes(reports[0]!.createdAt!, "mode_test");
});

Deno.test({
  name: "D2 J13 a task that nothing but its loop knows is kept",
  ignore: !hasGc,
  fn: () =>
    runVirtual(async () => {
      const reports = collectReports();
      const seen: string[] = [];
      let wake!: () => void;
      const reference = (() => {
        const task = createTask(async () => {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          seen.push("woken");
        });
        return new WeakRef(task);
      })();
      await sleep(0);
      let rounds = 0;
      await collectUntil(() => ++rounds > 5);
      assertFalse(reference.deref()!.done());
      wake();
      await sleep(0);
      assertEquals(seen, ["woken"]);
      assertEquals(reports, []);
    }),
});

// ── D3: slow steps ─────────────────────────────────────────────────────────

/**
 * The one report that says so. On a busy machine other steps take long as well,
 * and are reported, so it may be anywhere among them.
 */
function theReport(
  reports: ExceptionContext[],
  text: RegExp,
): ExceptionContext {
  const found = reports.filter(({ message }) => text.test(message));
  assertEquals(found.length, 1, messages(reports).join("\n"));
  return found[0]!;
}

Deno.test("D3 a slow step is reported with its task and where that was created", async () => {
  let slow: Task | undefined;
  const reports = await debugged(async () => {
    getRunningLoop().slowCallbackDuration = 4;
    slow = createTask(async () => {
      await sleep(10);
      block(5);
    }, { name: "slow" });
    await slow;
  });
  const report = theReport(
    reports,
    /^Executing <Task finished undefined name="slow"> after sleep\(10\) took \d+ ms$/,
  );
  assertStrictEquals(report.task, slow);
  assertStringIncludes(report.createdAt!, "mode_test");
});

Deno.test("D3 a slow first step and a slow callback are reported", async () => {
  const reports = await debugged(async () => {
    const loop = getRunningLoop();
    loop.slowCallbackDuration = 4;
    await createTask(() => block(5), { name: "quick to block" });
    loop.callSoon(function blocking() {
      block(5);
    });
    loop.callLater(5, function blockingLater() {
      block(5);
    });
    await sleep(10);
  });
  theReport(
    reports,
    /^Executing the first step of <Task finished undefined name="quick to block"> took \d+ ms$/,
  );
  const handle = theReport(reports, /^Executing <Handle done> took \d+ ms$/);
  assertStringIncludes(handle.createdAt!, "mode_test");
  theReport(reports, /^Executing <TimerHandle .*took \d+ ms$/);
});

Deno.test("D3 slowCallbackDuration is 100 ms, and quick steps are not reported", async () => {
  const loop = newEventLoop();
  assertEquals(loop.slowCallbackDuration, 100);
  loop.close();
  const reports = await debugged(async () => {
    getRunningLoop().slowCallbackDuration = 60_000;
    await createTask(() => block(5));
  });
  assertEquals(reports, []);
});

Deno.test("D3 time that a task only waits is not its step's", async () => {
  const reports = await debugged(async () => {
    // Of the host's clock, while steps of other tasks take no time.
    await new Promise((resolve) => setTimeout(resolve, 5));
    getRunningLoop().slowCallbackDuration = 60_000;
    await sleep(60_001);
  });
  assertEquals(reports, []);
});

// ── D4: creation stacks ────────────────────────────────────────────────────

Deno.test("D4 getStack() tells what a task waits for, and in debug mode where", async () => {
  async function waitForItem(): Promise<void> {
    await new Queue<number>().get();
  }
  await runVirtual(async () => {
    const task = createTask(waitForItem);
    await sleep(1);
    assertEquals(task.getStack(), ["waiting for Queue.get"]);
    task.cancel();
  });
  await runVirtual(async () => {
    const task = createTask(waitForItem);
    await sleep(1);
    const [what, where] = task.getStack();
    assertEquals(what, "waiting for Queue.get");
    assertMatch(where!, /waitForItem \(.*mode_test/);
    task.cancel();
    await assertRejects(() => task, CancelledError);
    assertEquals(task.getStack(), []);
  }, { debug: true });
});

Deno.test("D4 getStack() tells all that a task waits for, in its blocks as well", async () => {
  await runVirtual(async () => {
    const task = createTask(async () => {
      await Promise.all([sleep(10), timeout(1000, () => sleep(20))]);
    });
    await sleep(1);
    assertEquals(task.getStack().sort(), [
      "waiting for sleep(10)",
      "waiting for sleep(20)",
    ]);
    await task;
  });
});

Deno.test("D4 printStack() writes it to stderr", async () => {
  const text = await stderrOf(() =>
    runVirtual(async () => {
      const task = createTask(() => sleep(5), { name: "printed" });
      await sleep(1);
      task.printStack();
      await task;
    })
  );
  assertMatch(
    text,
    /^Stack for <Task pending name="printed".*>:\n.*sleep\(5\)/,
  );
});

Deno.test(
  "D4 at most ten frames are kept, none of them the library's",
  needs(CALLER_FRAMES),
  async () => {
    function deep(levels: number): Task {
      return levels === 0 ? createTask(() => sleep(60_000)) : deep(levels - 1);
    }
    const loop = newEventLoop({ clock: new VirtualClock(), debug: true });
    let createdAt = "";
    loop.setExceptionHandler((context) => {
      createdAt = context.createdAt!;
    });
    await loop.runUntilComplete(() => {
      deep(20);
    });
    loop.close();
    const frames = createdAt.split("\n");
    assertEquals(frames.length, 10);
    for (const frame of frames) assertMatch(frame, /mode_test/);
  },
);

Deno.test("setDebug() takes a boolean, and keeps one debug mode", () => {
  const loop = newEventLoop();
  for (const wrong of [1, "yes", null, undefined]) {
    assertThrows(
      () => loop.setDebug(wrong as never),
      TypeError,
      "Cannot set debug mode as 'on' must be a boolean",
    );
  }
  assertEquals(loop.getDebug(), false);
  loop.close();
});

// ── D5: what callSoon refuses ──────────────────────────────────────────────

Deno.test("D5 an async callback is refused in debug mode", async () => {
  await debugged(() => {
    const loop = getRunningLoop();
    const callback = async () => {};
    const text = "must not be an async function";
    assertThrows(
      () => loop.callSoon(callback),
      TypeError,
      "Cannot call soon as 'callback' must not be an async function",
    );
    for (const each of [callback, callback.bind(null), { async on() {} }.on]) {
      assertThrows(() => loop.callSoon(each), TypeError, text);
      assertThrows(() => loop.callSoonThreadsafe(each), TypeError, text);
      assertThrows(() => loop.callLater(1, each), TypeError, text);
      assertThrows(() => loop.callAt(1, each), TypeError, text);
    }
    assertThrows(() => loop.setExceptionHandler(callback), TypeError, text);
    // As asyncio does once the future is done.
    const future = loop.createFuture<number>();
    const action = "Cannot add a done callback as 'callback'";
    const add = () => future.addDoneCallback(callback);
    assertThrows(add, TypeError, `${action} ${text}`);
    future.setResult(1);
    assertThrows(add, TypeError, `${action} ${text}`);
  });
  await runVirtual(async () => {
    let called = false;
    getRunningLoop().callSoon(async () => {
      called = await true;
    });
    await sleep(1);
    assert(called);
  }, { debug: false });
});

// ── D6: the exception handler ──────────────────────────────────────────────

Deno.test("D6 a handler that throws in debug mode is caught, and both are told", async () => {
  const text = await stderrOf(async () => {
    await runVirtual(async () => {
      getRunningLoop().setExceptionHandler(() => {
        throw new Error("the handler's");
      });
      const task = createTask(() => sleep(60_000).catch(() => {}));
      await sleep(0);
      task.cancel();
      await task;
    }, { debug: true });
  });
  assertMatch(text, /The exception handler threw\n.*the handler's/);
  assertStringIncludes(text, SWALLOWED);
});

// ── D7: what is not closed ─────────────────────────────────────────────────

Deno.test({
  name: "D7 a loop in debug mode that is collected without close() is reported",
  ignore: !hasGc,
  async fn() {
    let text = "";
    text = await stderrOf(async () => {
      const { error } = console;
      let reported = false;
      console.error = (line: string) => {
        reported = true;
        error(line);
      };
      (() => newEventLoop({ debug: true }))();
      await collectUntil(() => reported);
    });
    assertMatch(
      text,
      /^ResourceWarning: unclosed event loop <EventLoop stopped>/,
    );
    assertMatch(text, /created at:\n.*mode_test/);
  },
});

Deno.test({
  name: "D7 a loop that was closed, or is not in debug mode, is not reported",
  ignore: !hasGc,
  async fn() {
    const collected: string[] = [];
    const registry = new FinalizationRegistry<string>((name) => {
      collected.push(name);
    });
    const text = await stderrOf(async () => {
      (() => {
        const closed = newEventLoop({ debug: true });
        closed.close();
        registry.register(closed, "closed");
        registry.register(newEventLoop({ debug: false }), "quiet");
        const turnedOff = newEventLoop({ debug: true });
        turnedOff.setDebug(false);
        registry.register(turnedOff, "turned off");
      })();
      await collectUntil(() => collected.length === 3);
    });
    assertEquals(collected.sort(), ["closed", "quiet", "turned off"]);
    assertEquals(text, "");
  },
});

Deno.test("D7 D2 a loop nobody closed is reported when the program ends", async () => {
  const { code, stderr } = await debugProgram("unclosed");
  assertMatch(
    stderr,
    /^ResourceWarning: unclosed event loop <EventLoop stopped>\ncreated at:\n.*debug\./,
  );
  assertStringIncludes(
    stderr,
    `Task was destroyed but it is pending!\ntask: <Task pending name="never run">`,
  );
  assertEquals(code, 0);
});

Deno.test("D7 a loop that was closed, or was running at the exit, is not reported", async () => {
  for (const name of ["closed", "exit"]) {
    assertEquals((await debugProgram(name)).stderr, "");
  }
});

// ── cancellations that go wrong ────────────────────────────────────────────

Deno.test("J3 a cancellation that a catch kept is reported", async () => {
  let task: Task | undefined;
  const reports = await debugged(async () => {
    task = createTask(async () => {
      try {
        await sleep(60_000);
      } catch {
        // As if nothing had happened.
      }
    }, { name: "swallower" });
    await sleep(0);
    task.cancel();
    await task;
  });
  assertEquals(reports.length, 1);
  assertStringIncludes(reports[0]!.message, SWALLOWED);
  assertStrictEquals(reports[0]!.task, task);
  assertStringIncludes(reports[0]!.createdAt!, "mode_test");
});

Deno.test("J3 no report of a cancellation that came when the result was on its way", async () => {
  const ended: string[] = [];
  const reports = await debugged(async () => {
    for (const isHeardOnce of [false, true]) {
      const [send, receive] = openChannel<number>();
      const sender = createTask(async () => {
        // As if nothing had happened.
        if (isHeardOnce) await sleep(1000).catch(() => {});
        await send.send(1);
        ended.push("sent");
      }, { name: isHeardOnce ? "swallower" : "sender" });
      await sleep(0);
      if (isHeardOnce) sender.cancel();
      await sleep(0);
      // Between the two halves: the item is taken, the sender not told yet.
      const receiver = createTask(async () => {
        const item = await receive.receive();
        sender.cancel();
        return item;
      });
      assertEquals(await receiver, 1);
      await sender;
      assertFalse(sender.cancelled());
    }
  });
  assertEquals(ended, ["sent", "sent"]);
  assertEquals(
    reports.map(({ task, message }) => [
      task?.name,
      message.startsWith(SWALLOWED),
    ]),
    [["swallower", true]],
  );
});

Deno.test("J3 no report of a cancellation that was passed on, taken back or replaced", async () => {
  const reports = await debugged(async () => {
    const cancelled = async (fn: () => Promise<unknown>): Promise<void> => {
      const task = createTask(fn);
      await sleep(0);
      task.cancel();
      await assertRejects(() => task);
    };
    await cancelled(() => sleep(60_000));
    await cancelled(async () => {
      await sleep(60_000).catch((error) => {
        assert(isCancelledError(error));
        throw new RangeError("instead");
      });
    });
    const declined = createTask(async () => {
      await sleep(60_000).catch(() => currentTask()!.uncancel());
    });
    await sleep(0);
    declined.cancel();
    await declined;
    await assertRejects(() => timeout(1, () => sleep(60_000)));
    await taskGroup((group) => {
      group.createTask(() => sleep(60_000));
      group.cancel();
    });
  });
  assertEquals(messages(reports), []);
});

Deno.test("J2 a cancelled task that is stuck in a foreign await is reported", async () => {
  const foreign = deferred<void>();
  const impatient = impatience();
  let task: Task | undefined;
  const reports = await debugged(async () => {
    task = createTask(async () => {
      await foreign.promise;
    }, { name: "stuck" });
    await sleep(0);
    impatient.on();
    task.cancel("hurry");
    await impatient.fired;
    impatient.off();
    foreign.resolve();
    await assertRejects(() => task!, CancelledError);
  });
  assertEquals(reports.length, 1);
  assertStringIncludes(reports[0]!.message, `(hurry) and ${STUCK}`);
  assertStrictEquals(reports[0]!.task, task);
});

Deno.test("J2 a cancelled task that comes back in time is not reported", async () => {
  const foreign = deferred<void>();
  const reports = await debugged(async () => {
    const task = createTask(async () => {
      await foreign.promise;
      await sleep(5);
    });
    await sleep(0);
    task.cancel();
    task.cancel();
    foreign.resolve();
    await assertRejects(() => task, CancelledError);
    const early = createTask(() => sleep(60_000));
    early.cancel();
    await assertRejects(() => early, CancelledError);
  });
  assertEquals(messages(reports), []);
});

/** Shortens the long timers of the host to nothing, from `on()` to `off()`. */
function impatience(): { on(): void; off(): void; fired: Promise<void> } {
  const { setBackgroundTimer } = hostTimers;
  const { promise: fired, resolve } = deferred<void>();
  let alive: ReturnType<typeof setInterval>;
  return {
    fired,
    on() {
      // The timer in question does not keep the program alive.
      alive = setInterval(() => {}, 60_000);
      hostTimers.setBackgroundTimer = (callback) =>
        setBackgroundTimer(() => {
          callback();
          resolve();
        }, 0);
    },
    off() {
      clearInterval(alive);
      hostTimers.setBackgroundTimer = setBackgroundTimer;
    },
  };
}

// ── work that outlives its task ────────────────────────────────────────────

Deno.test("work that goes on after its task ended is reported, and where it waits", async () => {
  let task: Task | undefined;
  async function forgotten(): Promise<void> {
    await sleep(10);
  }
  const reports = await debugged(async () => {
    task = createTask(() => {
      forgotten();
    });
    await task;
    await sleep(20);
  });
  assertEquals(reports.length, 1);
  assertStringIncludes(
    reports[0]!.message,
    `${OUTLIVES}, waiting for sleep(10)`,
  );
  assertStrictEquals(reports[0]!.task, task);
  assertMatch(reports[0]!.createdAt!, /forgotten \(.*mode_test/);
});

Deno.test("what Promise.all() leaves running when one fails is reported", async () => {
  const reports = await debugged(async () => {
    const task = createTask(async () => {
      await Promise.all([sleep(10), Promise.reject(new Error("one"))]);
    });
    await assertRejects(() => task, Error, "one");
    await sleep(20);
  });
  assertEquals(reports.length, 1);
  assertStringIncludes(reports[0]!.message, OUTLIVES);
});

Deno.test("work that was cancelled with its task is not reported", async () => {
  const reports = await debugged(async () => {
    const task = createTask(async () => {
      gather([() => sleep(60_000), () => sleep(60_000)]);
      const never = shield(new Promise(() => {}));
      await Promise.all([sleep(60_000), never]);
    });
    await sleep(1);
    task.cancel();
    await assertRejects(() => task, CancelledError);
  });
  assertEquals(messages(reports), []);
});

// ── errors that gather loses ───────────────────────────────────────────────

Deno.test("A7 an error that gather() loses is reported in debug mode", async () => {
  const error = new RangeError("the second");
  const reports = await debugged(async () => {
    await assertRejects(() =>
      gather([
        () => Promise.reject(new Error("the first")),
        () => sleep(5).then(() => Promise.reject(error)),
      ])
    );
    await sleep(10);
  });
  assertEquals(reports.length, 1);
  assertStringIncludes(reports[0]!.message, LOST_GATHERED);
  assertStrictEquals(reports[0]!.error, error);
});

// ── turning it on and off ──────────────────────────────────────────────────

function debugProgram(name: string, env = { ASYNCIO_DEBUG: "1" }) {
  return runProgram("debug", { args: [name], env });
}

Deno.test("ASYNCIO_DEBUG=1 turns debug mode on, and it writes to stderr", async () => {
  const { code, stdout, stderr } = await debugProgram("complain");
  assertEquals(stdout, "debug true\n");
  assertMatch(
    stderr,
    // On a busy machine other steps take long, and are reported, as well.
    /^Executing <Task finished undefined name="slow one"> after sleep\(1\) took \d+ ms\ntask: .*\ncreated at:\n.*complain.*debug\./m,
  );
  assertStringIncludes(
    stderr,
    `${SWALLOWED}: a catch kept its CancelledError; throw it again, or call uncancel()\ntask: <Task finished undefined name="swallower">`,
  );
  assertEquals(code, 0);
});

Deno.test("ASYNCIO_DEBUG=1 is for the default loop as well", async () => {
  const { stdout, stderr } = await debugProgram("complain in the default loop");
  assertEquals(stdout, "debug true\n");
  assertStringIncludes(stderr, "slow one");
});

Deno.test("without ASYNCIO_DEBUG=1 nothing is said", async () => {
  for (const value of ["", "0"]) {
    const result = await debugProgram("complain", { ASYNCIO_DEBUG: value });
    assertEquals(result, { code: 0, stdout: "debug false\n", stderr: "" });
  }
});

Deno.test("setDebug() turns debug mode on and off while the loop runs", async () => {
  const reports: ExceptionContext[] = [];
  await runVirtual(async () => {
    const loop = getRunningLoop();
    loop.setExceptionHandler((context) => reports.push(context));
    const swallow = async (name: string) => {
      const task = createTask(() => sleep(60_000).catch(() => {}), { name });
      await sleep(0);
      task.cancel();
      await task;
    };
    await swallow("before");
    loop.setDebug(true);
    loop.setDebug(true);
    assert(loop.getDebug());
    await swallow("while");
    loop.setDebug(false);
    assertFalse(loop.getDebug());
    await swallow("after");
  }, { debug: false });
  assertEquals(reports.map(({ task }) => task?.name), ["while"]);
});

Deno.test("debug mode leaves the order of callbacks and tasks as it is", async () => {
  const trace = async (debug: boolean): Promise<string[]> => {
    const seen: string[] = [];
    await runVirtual(async () => {
      const loop = getRunningLoop();
      const worker = (name: string) => async () => {
        for (let i = 0; i < 3; i++) {
          seen.push(`${name}${i}`);
          await sleep(i);
        }
      };
      const tasks = ["a", "b", "c"].map((name) => createTask(worker(name)));
      loop.callSoon(() => seen.push("soon"));
      loop.callLater(1, () => seen.push("later"));
      await gather(tasks);
    }, { debug });
    return seen;
  };
  assertEquals(await trace(true), await trace(false));
});

Deno.test("debug mode lets stop() end the iteration, not the step", async () => {
  for (const debug of [false, true]) {
    const loop = newEventLoop({ clock: new VirtualClock(), debug });
    const seen: string[] = [];
    loop.callSoon(() => {
      seen.push("stop");
      loop.stop();
      loop.callSoon(() => seen.push("next"));
    });
    loop.callSoon(() => seen.push("same"));
    await loop.runForever();
    assertEquals(seen, ["stop", "same"], `debug: ${debug}`);
    loop.stop();
    await loop.runForever();
    assertEquals(seen, ["stop", "same", "next"]);
    loop.close();
  }
});

// ── deadlock ───────────────────────────────────────────────────────────────

Deno.test("deadlock: tasks that nothing can wake are reported, and what they wait for", async () => {
  const { stderr } = await debugProgram("deadlock");
  assertMatch(
    stderr,
    /^Deadlock: every task waits, and nothing is left that could wake them\n/,
  );
  const lines = stderr.split("\n").filter((line) => /^ {2}\S/.test(line));
  assertEquals(lines.map((line) => line.trim()), [
    "Task-1: waiting for the tasks of TaskGroup",
    "left: waiting for Lock.acquire (held by right), awaited by Task-1",
    "right: waiting for Lock.acquire (held by left), awaited by Task-1",
    "foreign: in an await that the library does not see, awaited by Task-1",
  ]);
  assertMatch(
    stderr,
    /left: waiting for Lock.acquire \(held by right\), awaited by Task-1\n +at .*debug\./,
  );
});

Deno.test("deadlock: a task of the default loop that nothing can wake is reported", async () => {
  const { code, stderr } = await debugProgram("deadlock in the default loop");
  assertStringIncludes(stderr, "  waiter: waiting for Event.wait\n");
  assertEquals(code, 0);
});

Deno.test("deadlock: not a word of it without debug mode", async () => {
  const { stderr } = await debugProgram("deadlock in the default loop", {
    ASYNCIO_DEBUG: "0",
  });
  assertEquals(stderr, "");
});
