import {
  allTasks,
  CancelledError,
  ContextVar,
  copyContext,
  createTask,
  currentTask,
  type EventLoop,
  type ExceptionContext,
  type Executor,
  getRunningLoop,
  InvalidStateError,
  newEventLoop,
  run,
  Runner,
  runVirtual,
  sleep,
  SystemExit,
  VirtualClock,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  type ProgramResult,
  runProgram,
  type Signal,
} from "../_support/programs.ts";
import { countingSignal } from "../_support/virtual.ts";

/** Runs a case of `interrupt.ts`, with a SIGINT whenever it says "ready". */
function interrupt(...args: string[]): Promise<ProgramResult> {
  return signalled("SIGINT", ...args);
}

/** The same with another signal. */
function signalled(signal: Signal, ...args: string[]): Promise<ProgramResult> {
  return runProgram("interrupt", {
    args,
    onLine: (line, send) => line === "ready" && send(signal),
  });
}

/** A loop in virtual time, and what is reported to it. */
function virtualLoop(): { loop: EventLoop; reports: ExceptionContext[] } {
  const reports: ExceptionContext[] = [];
  const loop = newEventLoop({ clock: new VirtualClock() });
  loop.setExceptionHandler((context) => reports.push(context));
  return { loop, reports };
}

function unused(): never {
  throw new Error("unused");
}

Deno.test("U1 SIGINT cancels main, finally runs, run() throws KeyboardInterrupt", async () => {
  const { code, stdout, stderr } = await interrupt("cancels");
  assertEquals(stdout.split("\n"), [
    "ready",
    "cleaning up, cancelling 1",
    "clean",
    "threw KeyboardInterrupt: Interrupted by SIGINT",
    "",
  ]);
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
});

Deno.test("U1 a KeyboardInterrupt nobody catches ends the program with 130", async () => {
  const { code, stdout, stderr } = await interrupt("cancels", "uncaught");
  assertStringIncludes(stdout, "clean\n");
  assertEquals(stderr.trim(), "KeyboardInterrupt: Interrupted by SIGINT");
  assertEquals(code, 130);
});

Deno.test("U1 each of several runs is interrupted by its own SIGINT", async () => {
  const { code, stdout } = await interrupt("twoRuns");
  assertEquals(stdout.match(/KeyboardInterrupt/g)?.length, 2);
  assertStringIncludes(stdout, "returned went on");
  assertEquals(code, 0);
});

Deno.test("U1 a loop that is not run by run() leaves SIGINT to the host", async () => {
  const { code, stdout } = await interrupt("explicitLoop");
  assertEquals({ code, stdout }, { code: null, stdout: "ready\n" });
});

Deno.test("U2 main swallows the SIGINT and returns: run() gives its value", async () => {
  const { code, stdout } = await interrupt("swallow");
  assertStringIncludes(stdout, "returned a value");
  assertEquals(code, 0);
});

Deno.test("U2 SIGINT and a cancellation from elsewhere is a CancelledError", async () => {
  const { stdout } = await interrupt("cancelledAsWell");
  assertStringIncludes(stdout, "cancelling 2\nthrew CancelledError");
});

Deno.test("U3 a second SIGINT during the clean-up ends the program with 130", async () => {
  const { code, stdout } = await interrupt("cleanUpForLong");
  assertEquals({ code, stdout }, { code: 130, stdout: "ready\nready\n" });
});

Deno.test("U3 J14 a second SIGINT during blocking code ends the program after it", async () => {
  const { code, stdout } = await interrupt("block");
  assertEquals(stdout, "ready\nready\nblocked\n");
  assertEquals(code, 130);
});

Deno.test("U1 two runs at once both hear the SIGINT", async () => {
  const { code, stdout } = await interrupt("twoRunsAtOnce");
  assertStringIncludes(stdout, "\nclean\nthe other is clean\n");
  assertStringIncludes(stdout, "returned KeyboardInterrupt,KeyboardInterrupt");
  assertEquals(code, 0);
});

Deno.test("U3 a first SIGINT while the rest is being cancelled lets it end", async () => {
  const { code, stdout } = await interrupt("leaves");
  assertEquals(stdout.split("\n"), [
    "ready",
    "the rest is clean",
    "threw KeyboardInterrupt: Interrupted by SIGINT",
    "",
  ]);
  assertEquals(code, 0);
});

Deno.test("U3 a second SIGINT while the rest is being cancelled ends the program with 130", async () => {
  const { code, stdout } = await interrupt("leavesForLong");
  assertEquals([code, stdout], [130, "ready\nready\n"]);
});

Deno.test("U3 a SIGINT while the rest is being cancelled does not hide main's error", async () => {
  const { stdout } = await interrupt("failsAndLeaves");
  assertStringIncludes(stdout, "the rest is clean\nthrew Error: main's own");
});

Deno.test("U3 Runner.close() hears the SIGINT that comes meanwhile", async () => {
  const { code, stdout } = await interrupt("runnerThatLeaves");
  assertEquals(stdout.split("\n"), [
    "main's value",
    "ready",
    "the rest is clean",
    "threw KeyboardInterrupt: Interrupted by SIGINT",
    "",
  ]);
  assertEquals(code, 0);
});

Deno.test("V12 SIGTERM cancels main, and ends the program when all is clean", async () => {
  const { signal, stdout, stderr } = await signalled("SIGTERM", "cancels");
  assertEquals(stdout.split("\n"), [
    "ready",
    "cleaning up, cancelling 1",
    "clean",
    "",
  ]);
  assertEquals({ signal, stderr }, { signal: "SIGTERM", stderr: "" });
});

Deno.test("V12 SIGTERM while the rest is being cancelled lets it end", async () => {
  const { signal, stdout } = await signalled("SIGTERM", "leaves");
  assertEquals(stdout, "ready\nthe rest is clean\n");
  assertEquals(signal, "SIGTERM");
});

Deno.test("V12 the last of two runs that hear SIGTERM ends the program", async () => {
  const { signal, stdout } = await signalled("SIGTERM", "twoRunsAtOnce");
  assertStringIncludes(stdout, "\nclean\nthe other is clean\n");
  assertEquals(stdout.includes("returned"), false);
  assertEquals(signal, "SIGTERM");
});

Deno.test("V12 main catches the cancellation of SIGTERM and returns: run() gives its value", async () => {
  const { code, stdout } = await signalled("SIGTERM", "swallow");
  assertStringIncludes(stdout, "returned a value");
  assertEquals(code, 0);
});

Deno.test("V12 a second SIGTERM during the clean-up ends the program at once", async () => {
  const { signal, stdout } = await signalled("SIGTERM", "cleanUpForLong");
  assertEquals(stdout, "ready\nready\n");
  assertEquals(signal, "SIGTERM");
});

Deno.test("graceMs ends a program whose clean-up takes longer, by its signal", async () => {
  for (const name of ["cutOff", "cutOffAtOnce"]) {
    const { signal, stdout, stderr } = await signalled("SIGTERM", name);
    assertEquals(signal, "SIGTERM");
    assertEquals(stdout, "ready\ncleaning up\n");
    const lines = stderr.trimEnd().split("\n");
    assertEquals(
      lines[0],
      `The clean-up after SIGTERM took longer than ${
        name === "cutOff" ? 50 : 0
      } ms: the program ends without it`,
    );
    assertEquals(
      lines[1],
      '  <Task cancelling name="main" waiting for sleep(60000)>',
    );
    assertEquals(lines.at(-1), "  and 3 more");
    assertEquals(lines.length, 12);
  }
});

Deno.test("graceMs ends a program with 130 after SIGINT, as a second one does", async () => {
  const { code, stdout, stderr } = await interrupt("cutOff");
  assertEquals(code, 130);
  assertEquals(stdout, "ready\ncleaning up\n");
  assertStringIncludes(stderr, "The clean-up after SIGINT took longer");
});

Deno.test("graceMs limits what is left behind main, too", async () => {
  const { signal, stdout, stderr } = await signalled(
    "SIGTERM",
    "cutOffTheRest",
  );
  assertEquals([signal, stdout], ["SIGTERM", "ready\n"]);
  assertStringIncludes(stderr, 'name="the rest" waiting for sleep(60000)');
});

Deno.test("graceMs changes nothing for a program that ends in time", async () => {
  const { signal, stdout, stderr } = await signalled("SIGTERM", "inTime");
  assertEquals(stdout, "ready\ncleaning up, cancelling 1\nclean\n");
  assertEquals([signal, stderr], ["SIGTERM", ""]);
  const other = await signalled("SIGTERM", "inTimeAndOn");
  assertEquals([other.code, other.stderr], [0, ""]);
  assertStringIncludes(other.stdout, "returned a value");
});

Deno.test("run() refuses a graceMs that is none", async () => {
  await assertRejects(
    () => run(() => unused(), { graceMs: "5s" as never }),
    TypeError,
    "Cannot run as 'graceMs' must be a number of milliseconds: received \"5s\"",
  );
  await assertRejects(
    () => run(() => unused(), { graceMs: NaN }),
    RangeError,
    "Cannot run as 'graceMs' must not be NaN",
  );
});

Deno.test("V12 a signal that run() is not to hear ends the program as ever", async () => {
  for (
    const [name, sent] of [
      ["onlySigint", "SIGTERM"],
      ["noSignals", "SIGTERM"],
      ["noSignals", "SIGINT"],
      ["cancels", "SIGHUP"],
    ] as const
  ) {
    const { signal, stdout } = await signalled(sent, name);
    assertEquals([stdout, signal], ["ready\n", sent]);
  }
});

Deno.test("V12 another signal that run() is to hear counts as SIGTERM does", async () => {
  const { signal, stdout } = await signalled("SIGHUP", "onlySighup");
  assertStringIncludes(stdout, "\nclean\n");
  assertEquals(signal, "SIGHUP");
});

Deno.test("V12 a loop's SIGTERM handler takes the place of run()'s", async () => {
  const { code, stdout } = await signalled(
    "SIGTERM",
    "ownHandlerOfLoopForSigterm",
  );
  assertStringIncludes(stdout, "returned the program's own");
  assertEquals(code, 0);
});

Deno.test("U10 V12 a listener of the host is left alone, set before or inside of run()", async () => {
  for (const name of ["handlerOfHostBefore", "handlerOfHostInside"]) {
    for (const sent of ["SIGINT", "SIGTERM"] as const) {
      const { code, stdout } = await signalled(sent, name);
      assertEquals(stdout, "ready\nreturned the program's own\n");
      assertEquals(code, 0);
    }
  }
});

Deno.test({
  name:
    "a listener that only tidies up where no one else listens does not take SIGINT away",
  // There Node's process does not know who else listens.
  ignore: "Deno" in globalThis,
  async fn() {
    const { code, stdout } = await interrupt("tidier");
    assertStringIncludes(stdout, "clean\nthrew KeyboardInterrupt");
    assertEquals(code, 0);
  },
});

Deno.test("a signal that no program hears is refused at the call", () => {
  const { loop } = virtualLoop();
  for (
    const signal of ["SIGTREM", "SIGKILL", "SIGSTOP", "boom", "exit", 15, null]
  ) {
    const text = "as 'signal' must be the name of a signal";
    assertThrows(
      () => loop.addSignalHandler(signal as never, () => {}),
      TypeError,
      `Cannot add a signal handler ${text}`,
    );
    assertThrows(
      () => loop.removeSignalHandler(signal as never),
      TypeError,
      `Cannot remove a signal handler ${text}`,
    );
  }
  loop.close();
});

Deno.test("run() refuses signals that no program hears", async () => {
  for (const signals of [["SIGTREM"], ["SIGKILL"], [15], "SIGINT", null]) {
    await assertRejects(
      () => run(() => unused(), { signals: signals as never }),
      TypeError,
      "Cannot run as 'signals",
    );
  }
});

Deno.test("U4 a CancelledError that leaves main without a SIGINT stays one", async () => {
  await assertRejects(
    () =>
      runVirtual(async () => {
        currentTask()!.cancel("by itself");
        await sleep(0);
      }),
    CancelledError,
    "by itself",
  );
  await assertRejects(
    () => runVirtual(() => Promise.reject(new CancelledError("made up"))),
    CancelledError,
    "made up",
  );
});

Deno.test("U4 a CancelledError that nobody catches ends the program with 1", async () => {
  const { code, stdout, stderr } = await runProgram("cancelled_main");
  assertEquals({ code, stdout }, { code: 1, stdout: "" });
  assertStringIncludes(stderr, "CancelledError: gone");
});

Deno.test("U5 leftovers are cancelled and awaited, their errors are reported", async () => {
  const { loop, reports } = virtualLoop();
  const seen: string[] = [];
  await run(async () => {
    createTask(async () => {
      try {
        await sleep(60_000);
      } finally {
        await sleep(10);
        seen.push("cleaned up");
      }
    });
    createTask(async () => {
      await sleep(60_000).catch(() => {});
      throw new RangeError("while closing");
    }, { name: "fails" });
    createTask(() => Promise.reject(new RangeError("by itself, before")));
    await sleep(1);
    seen.push("main ended");
  }, { loop });
  assertEquals(seen, ["main ended", "cleaned up"]);
  assertEquals(
    reports.map(({ error, task }) => [(error as Error).message, task?.name]),
    [["while closing", "fails"], ["by itself, before", undefined]],
  );
  assertEquals(allTasks(loop).size, 0);
});

Deno.test("U6 tasks end first, then the executor, then the loop", async () => {
  const { loop } = virtualLoop();
  const seen: string[] = [];
  const executor: Executor = {
    submit: unused,
    shutdown() {
      seen.push(`executor, loop closed: ${loop.isClosed()}`);
      return Promise.resolve();
    },
  };
  await run(() => {
    getRunningLoop().setDefaultExecutor(executor);
    createTask(() => sleep(60_000).finally(() => seen.push("task")));
    return sleep(0);
  }, { loop });
  assertEquals(seen, ["task", "executor, loop closed: false"]);
  assert(loop.isClosed());
});

Deno.test("U6 an executor that does not end in time has its jobs cancelled", async () => {
  const { loop } = virtualLoop();
  const calls: unknown[] = [];
  let end = () => {};
  loop.setDefaultExecutor({
    submit: unused,
    shutdown(options) {
      calls.push(options);
      if (options?.cancelFutures) end();
      return new Promise((resolve) => {
        if (options?.cancelFutures) resolve();
        else end = resolve;
      });
    },
  });
  await loop.shutdownDefaultExecutor(0);
  assertEquals(calls, [undefined, { cancelFutures: true }]);
  await loop.shutdownDefaultExecutor();
  assertEquals(calls.length, 2);
  loop.close();
});

Deno.test("U7 a leftover that ignores its one cancellation delays run()", async () => {
  const { loop, reports } = virtualLoop();
  let ended = 0;
  await run(async () => {
    createTask(async () => {
      await sleep(60_000).catch(() => {});
      await sleep(5_000);
      ended = loop.time();
    });
    await sleep(1);
  }, { loop });
  assertEquals(ended, 5_001);
  assertEquals(reports, []);
});

Deno.test("U8 several Runner.run() share the loop and the context", async () => {
  const runner = new Runner({ loopFactory: () => virtualLoop().loop });
  const variable = new ContextVar("variable", { defaultValue: 0 });
  const loops: EventLoop[] = [];
  const body = () => {
    loops.push(getRunningLoop());
    const before = variable.get();
    variable.set(before + 1);
    return before;
  };
  assertEquals(await runner.run(body), 0);
  assertEquals(await runner.run(body), 1);
  assertEquals(await runner.run(body, { context: copyContext() }), 0);
  assertEquals(await runner.run(body), 2);
  assertEquals(variable.get(), 0);
  assertEquals(new Set(loops).size, 1);
  assertStrictEquals(runner.getLoop(), loops[0]);
  await runner.close();
});

Deno.test("U8 a task that outlives one run goes on in the next", async () => {
  const { loop } = virtualLoop();
  const runner = new Runner({ loopFactory: () => loop });
  const seen: number[] = [];
  await runner.run(async () => {
    createTask(async () => {
      for (;;) {
        await sleep(10);
        seen.push(loop.time());
      }
    });
    await sleep(25);
  });
  assertEquals(seen, [10, 20]);
  await runner.run(() => sleep(10));
  assertEquals(seen, [10, 20, 30]);
  await runner.close();
});

Deno.test("U8 a closed Runner refuses, and may be closed again", async () => {
  await using runner = new Runner();
  await runner.run(() => {});
  const loop = runner.getLoop();
  await runner.close();
  await runner.close();
  assert(loop.isClosed());
  await assertRejects(() => runner.run(() => {}), InvalidStateError, "closed");
  assertThrows(() => runner.getLoop(), InvalidStateError, "closed");
  const unused = new Runner();
  await unused.close();
  await assertRejects(() => unused.run(() => {}), InvalidStateError, "closed");
});

Deno.test("U8 debug and loopFactory of a Runner make its loop", async () => {
  const runner = new Runner({ debug: true });
  assert(await runner.run(() => getRunningLoop().getDebug()));
  await runner.close();
  const plain = new Runner({ debug: false, loopFactory: newEventLoop });
  assertFalse(await plain.run(() => getRunningLoop().getDebug()));
  await plain.close();
});

Deno.test("U9 run() inside of a running loop is refused, and nothing is left", async () => {
  await runVirtual(async () => {
    await assertRejects(
      () => run(() => {}),
      InvalidStateError,
      "Cannot run a second event loop inside of a running one",
    );
    const runner = new Runner();
    await assertRejects(() => runner.run(() => {}), InvalidStateError);
    await runner.close();
    assertEquals(allTasks().size, 1);
  });
});

Deno.test("U9 run() of something that is no function is refused", async () => {
  await assertRejects(
    () => run(Promise.resolve() as never),
    TypeError,
    "Cannot run as 'main' must be a function: received a Promise",
  );
  const runner = new Runner();
  await assertRejects(() => runner.run(1 as never), TypeError, "received 1");
  await runner.close();
});

Deno.test("U9 run() on a closed loop is refused", async () => {
  const { loop } = virtualLoop();
  loop.close();
  await assertRejects(
    () => run(() => {}, { loop }),
    InvalidStateError,
    "closed",
  );
});

Deno.test("U9 run() of a loop that is running is refused, and leaves it alone", async () => {
  const { loop } = virtualLoop();
  const first = run(() => sleep(10, "first"), { loop });
  for (
    const second of [
      () => run(unused, { loop }),
      () => new Runner({ loopFactory: () => loop }).run(unused),
    ]
  ) {
    await assertRejects(
      second,
      InvalidStateError,
      "Cannot run the event loop as it is already running",
    );
  }
  assertEquals(await first, "first");
});

Deno.test("U9 a second Runner.run() at the same time is refused, and calls nothing", async () => {
  const { loop } = virtualLoop();
  const runner = new Runner({ loopFactory: () => loop });
  let isCalled = false;
  const first = runner.run(() => sleep(10, "first"));
  await assertRejects(
    () =>
      runner.run(() => {
        isCalled = true;
      }),
    InvalidStateError,
    "Cannot run the event loop as it is already running",
  );
  assertEquals(await first, "first");
  await runner.close();
  assertFalse(isCalled);
});

Deno.test("U10 a SIGINT handler that the program has set is left alone", async () => {
  const { stdout, code } = await interrupt("ownHandlerBefore");
  assertEquals({ stdout, code }, {
    stdout: "ready\nreturned the host's\n",
    code: 0,
  });
});

Deno.test("U10 U12 a loop's SIGINT handler takes the place of run()'s", async () => {
  const { stdout, code, stderr } = await interrupt("ownHandlerOfLoop");
  assertEquals(stdout, "ready\nremoved true\nremoved false\nreturned me\n");
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
});

Deno.test("U11 SystemExit in a task ends the program with its code, main's finally runs", async () => {
  const { code, stdout, stderr } = await runProgram("exit");
  assertEquals({ code, stdout, stderr }, {
    code: 3,
    stdout: "main's finally\n",
    stderr: "",
  });
});

Deno.test.each(
  [["callback", 4], ["ambient", 5], ["zero", 0]] as const,
)("U11 SystemExit in %s ends the program with %d", async (name, status) => {
  const { code, stdout, stderr } = await runProgram("exit", { args: [name] });
  assertEquals({ code, stdout, stderr }, {
    code: status,
    stdout: "",
    stderr: "",
  });
});

Deno.test("U11 SystemExit leaves run(), to be caught, and the loop is closed", async () => {
  const { loop, reports } = virtualLoop();
  const seen: string[] = [];
  const error = await assertRejects(
    () =>
      run(async () => {
        createTask(() => {
          throw new SystemExit(3);
        });
        try {
          await sleep(60_000);
        } finally {
          seen.push("finally");
        }
      }, { loop }),
    SystemExit,
  );
  assertEquals(error.code, 3);
  assertEquals(seen, ["finally"]);
  assert(loop.isClosed());
  assertEquals(reports, []);
});

Deno.test("U12 removeSignalHandler() is true once, then false", () => {
  const loop = newEventLoop();
  loop.addSignalHandler("SIGUSR2", () => {});
  loop.addSignalHandler("SIGUSR2", () => {});
  assert(loop.removeSignalHandler("SIGUSR2"));
  assertFalse(loop.removeSignalHandler("SIGUSR2"));
  assertFalse(loop.removeSignalHandler("SIGUSR2"));
  loop.addSignalHandler("SIGUSR2", () => {});
  loop.close();
});

Deno.test("a signal handler runs in the loop, with its arguments", async () => {
  const { stdout } = await runProgram("interrupt", {
    args: ["withUsr1"],
    onLine: (line, send) => line === "ready for SIGUSR2" && send("SIGUSR2"),
  });
  assertEquals(
    stdout,
    "ready for SIGUSR2\nhandler in task null\nreturned a b\n",
  );
});

Deno.test("run() with a signal is cancelled by it, and stops listening", async () => {
  const { signal, abort, listeners } = countingSignal();
  await assertRejects(
    () =>
      run(async () => {
        abort("enough");
        await sleep(60_000);
      }, { signal }),
    CancelledError,
    "enough",
  );
  assertEquals(listeners(), 0);
});

Deno.test("run() gives what main returns, or throws what it throws", async () => {
  assertEquals(await runVirtual(() => 5), 5);
  assertEquals(await runVirtual(() => sleep(5, "x")), "x");
  const error = new RangeError("main's");
  assertStrictEquals(
    await assertRejects(() => runVirtual(() => Promise.reject(error))),
    error,
  );
  assertStrictEquals(
    await assertRejects(() =>
      runVirtual(() => {
        throw error;
      })
    ),
    error,
  );
});

Deno.test("several runs of different loops go on side by side", async () => {
  const results = await Promise.all(
    [1, 2, 3].map((each) =>
      runVirtual(async () => {
        await sleep(each * 10);
        return [each, getRunningLoop().time()];
      })
    ),
  );
  assertEquals(results, [[1, 10], [2, 20], [3, 30]]);
});

Deno.test("a runner that was refused its end while it runs is closed later", async () => {
  const runner = new Runner();
  const loop = runner.getLoop();
  const log: string[] = [];
  const stop = loop.createFuture<void>();
  const running = runner.run(async () => {
    createTask(async () => {
      try {
        await sleep(60_000);
      } finally {
        await sleep(0);
        log.push("cleaned up");
      }
    });
    await stop;
  });
  await assertRejects(
    () => runner.close(),
    InvalidStateError,
    "Cannot close the runner as its loop is running",
  );
  stop.setResult();
  await running;
  const closing = runner.close();
  await Promise.all([closing, runner.close().then(() => log.push("closed"))]);
  assertEquals([loop.isClosed(), ...log], [true, "cleaned up", "closed"]);
});

Deno.test("a runner refuses what makes no loop", async () => {
  assertThrows(
    () => new Runner({ loopFactory: 5 as never }),
    TypeError,
    "'loopFactory' must be a function: received 5",
  );
  const runner = new Runner({ loopFactory: () => ({}) as never });
  await assertRejects(
    () => runner.run(() => sleep(0)),
    TypeError,
    "'loop' as it must be an EventLoop: received an object",
  );
  await runner.close();
});
