import {
  CancelledError,
  ContextVar,
  createTask,
  type ExceptionContext,
  getEventLoop,
  InvalidStateError,
  newEventLoop,
  sleep,
  timeout,
  TimeoutError,
  waitFor,
} from "@asyncio/asyncio";
import {
  createSubprocessExec,
  createSubprocessShell,
  PIPE,
  type Process,
} from "@asyncio/asyncio/subprocess";
import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertLess,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { collectUntil, hasGc } from "../_support/gc.ts";
import { builtin, temporaryFolder, until } from "../_support/net.ts";
import { countingSignal } from "../_support/virtual.ts";
import {
  bytesOf,
  children,
  hasGone,
  IN_AND_OUT,
  isAlive,
  OUT,
  textOf,
} from "../_support/subprocess.ts";

const STUBBORN = "trap '' TERM; echo ready; while :; do sleep 0.02; done";

/** A child that does not end at SIGTERM; it stands when this returns. */
async function startStubborn(options = {}): Promise<Process> {
  const child = await createSubprocessShell(STUBBORN, { ...OUT, ...options });
  await child.stdout!.readLine();
  return child;
}

Deno.test("P5 cancelling wait() leaves the child alone", async () => {
  await using child = await createSubprocessExec("sleep", ["60"]);
  await assertRejects(() => waitFor(() => child.wait(), 20), TimeoutError);
  await sleep(20);
  assertEquals(child.returnCode, null);
  assert(isAlive(child.pid));
});

Deno.test("P5 cancelling a read leaves the child alone, and what came", async () => {
  await using cat = await createSubprocessExec("cat", [], IN_AND_OUT);
  cat.stdin!.write("kept\n");
  const task = createTask(() => cat.stdout!.readExactly(1000));
  await sleep(50);
  task.cancel();
  await assertRejects(() => task, CancelledError);
  assertEquals(textOf(await cat.stdout!.readLine()), "kept\n");
});

Deno.test("P5 cancelling communicate() leaves the child alone, and what came", async () => {
  const { path, remove } = temporaryFolder();
  const script = 'echo 1; until [ -e "$0/go" ]; do sleep 0.02; done; echo 2';
  const child = await createSubprocessExec("sh", ["-c", script, path], OUT);
  await assertRejects(
    () => timeout(50, () => child.communicate()),
    TimeoutError,
  );
  assertEquals(child.returnCode, null);
  assert(isAlive(child.pid));
  builtin("node:fs").writeFileSync(`${path}/go`, "");
  assertEquals(textOf((await child.communicate())[0]), "1\n2\n");
  remove();
});

Deno.test("P5 killOnCancel ends the child with the task that waits", async () => {
  for (const call of ["wait", "communicate"] as const) {
    const child = await createSubprocessExec("sleep", ["60"], {
      ...IN_AND_OUT,
      killOnCancel: true,
    });
    const task = createTask<unknown>(() => child[call]());
    await sleep(20);
    task.cancel();
    await assertRejects(() => task, CancelledError);
    assertEquals(child.returnCode, -15);
    await child[Symbol.asyncDispose]();
  }
});

Deno.test("P5 killOnCancel kills a child that ignores SIGTERM", async () => {
  const child = await startStubborn({ killOnCancel: true, graceMs: 50 });
  await assertRejects(() => timeout(20, () => child.wait()), TimeoutError);
  assertEquals(child.returnCode, -9);
  await child[Symbol.asyncDispose]();
});

Deno.test("P6 cancelling the start kills the half-started child", async () => {
  const before = await children();
  const task = createTask(() =>
    createSubprocessExec("sleep", ["60"], IN_AND_OUT)
  );
  // It runs up to where it waits for the host.
  await sleep(0);
  task.cancel();
  await assertRejects(() => task, CancelledError);
  assertEquals(await children(), before);
});

Deno.test("P6 a start that was cancelled before starts nothing", async () => {
  const before = await children();
  const task = createTask(async () => {
    task.cancel();
    await createSubprocessExec("sleep", ["60"]);
  });
  await assertRejects(() => task, CancelledError);
  assertEquals(await children(), before);
});

Deno.test("a signal that is aborted during the start kills the child", async () => {
  const before = await children();
  const controller = new AbortController();
  const starting = createSubprocessExec("sleep", ["60"], {
    ...IN_AND_OUT,
    signal: controller.signal,
  });
  controller.abort(new Error("no longer needed"));
  await assertRejects(() => starting, Error, "no longer needed");
  assertEquals(await children(), before);
});

Deno.test("a start in a closed loop starts nothing", async () => {
  const before = await children();
  const loop = newEventLoop();
  let start: Promise<unknown> | undefined;
  await loop.runUntilComplete(() => {
    // Code that has variables keeps its loop beyond the end of its task.
    new ContextVar<number>("kept").set(1);
    const closed = new Promise<void>((resolve) => setTimeout(resolve, 20));
    start = closed.then(() => createSubprocessExec("sleep", ["60"]));
    start.catch(() => {});
    return Promise.resolve();
  });
  loop.close();
  await assertRejects(
    () => start!,
    InvalidStateError,
    "Cannot start a subprocess as the event loop is closed",
  );
  assertEquals(await children(), before);
});

Deno.test("an aborted signal gives the start up", async () => {
  const reason = new Error("no longer needed");
  const error = await assertRejects(() =>
    createSubprocessExec("sleep", ["60"], { signal: AbortSignal.abort(reason) })
  );
  assertEquals(error, reason);
});

Deno.test("stop() asks first", async () => {
  const child = await createSubprocessShell(
    "trap 'exit 7' TERM; echo ready; while :; do sleep 0.02; done",
    OUT,
  );
  await child.stdout!.readLine();
  assertEquals(await child.stop(), 7);
  assertEquals(await child.stop(), 7);
});

Deno.test("stop() kills a child that ignores SIGTERM after the grace", async () => {
  const child = await startStubborn();
  const start = performance.now();
  assertEquals(await child.stop({ graceMs: 100 }), -9);
  assertGreaterOrEqual(performance.now() - start, 99);
  await child[Symbol.asyncDispose]();
});

Deno.test("stop() that is cancelled kills the child at once", async () => {
  const child = await startStubborn();
  const task = createTask(() => child.stop({ graceMs: 60_000 }));
  await sleep(20);
  task.cancel();
  await assertRejects(() => task, CancelledError);
  assertEquals(await child.wait(), -9);
  await child[Symbol.asyncDispose]();
});

Deno.test("stop() refuses a grace that is none", async () => {
  await using child = await createSubprocessExec("sleep", ["60"]);
  await assertRejects(() => child.stop({ graceMs: NaN }), RangeError);
  await assertRejects(
    () => child.stop({ graceMs: "1" as unknown as number }),
    TypeError,
  );
});

Deno.test("J12 killTree() ends the whole process group", async () => {
  const shell = await createSubprocessShell("sleep 60 & echo $!; wait", {
    ...OUT,
    detached: true,
  });
  const grandchild = Number(textOf(await shell.stdout!.readLine()));
  shell.killTree();
  assertEquals(await shell.wait(), -9);
  assertEquals((await shell.stdout!.read()).length, 0);
  assert(await hasGone(grandchild));
});

Deno.test("J12 killTree() reaches those who outlive the child", async () => {
  const shell = await createSubprocessShell("sleep 60 & echo $!", {
    ...OUT,
    detached: true,
  });
  const grandchild = Number(textOf(await shell.stdout!.readLine()));
  assertEquals(await shell.wait(), 0);
  shell.killTree("SIGTERM");
  assertEquals((await shell.stdout!.read()).length, 0);
  assert(await hasGone(grandchild));
});

Deno.test("killTree() needs a group of the child's own", async () => {
  await using child = await createSubprocessExec("sleep", ["60"]);
  assertThrows(() => child.killTree(), Error, "without 'detached'");
});

Deno.test("J12 stop() of a detached child ends its group", async () => {
  const shell = await createSubprocessShell("sleep 60 & echo $!; wait", {
    ...OUT,
    detached: true,
  });
  const grandchild = Number(textOf(await shell.stdout!.readLine()));
  assertEquals(await shell.stop(), -15);
  assert(await hasGone(grandchild));
  await shell[Symbol.asyncDispose]();
});

/** Of a detached shell that runs `script`, the first line, which is a pid. */
async function startGroup(script: string): Promise<[Process, number]> {
  const shell = await createSubprocessShell(script, { ...OUT, detached: true });
  return [shell, Number(textOf(await shell.stdout!.readLine()))];
}

const DEAF = "sh -c 'trap \"\" TERM HUP; echo $$; while :; do sleep 60; done'";

Deno.test("await using leaves no grandchild of a detached child that has ended", async () => {
  for (const script of [`${DEAF} &`, "sleep 60 & echo $!"]) {
    let grandchild = 0;
    {
      const [shell, pid] = await startGroup(script);
      await using _ = shell;
      grandchild = pid;
      assertEquals(await shell.wait(), 0);
    }
    assert(await hasGone(grandchild), script);
  }
});

Deno.test("await using leaves no grandchild of a detached child that runs", async () => {
  for (const end of ["wait", "exec sleep 60"]) {
    let grandchild = 0;
    {
      const [shell, pid] = await startGroup(`${DEAF} & ${end}`);
      await using _ = shell;
      grandchild = pid;
    }
    assert(await hasGone(grandchild), end);
  }
});

Deno.test("stop() leaves no grandchild of a detached child that has listened", async () => {
  const [shell, grandchild] = await startGroup(`${DEAF} & wait`);
  assertEquals(await shell.stop(), -15);
  assert(await hasGone(grandchild));
  // There is nothing left to end.
  assertEquals(await shell.stop(), -15);
  await shell[Symbol.asyncDispose]();
});

Deno.test("killOnCancel leaves no grandchild of a detached child", async () => {
  await using shell = await createSubprocessShell(`${DEAF} & wait`, {
    ...OUT,
    detached: true,
    killOnCancel: true,
  });
  const grandchild = Number(textOf(await shell.stdout!.readLine()));
  await assertRejects(() => timeout(1, () => shell.wait()), TimeoutError);
  assert(await hasGone(grandchild));
});

Deno.test("killOnCancel leaves no grandchild that communicate() waits for, either", async () => {
  const shell = await createSubprocessShell(`${DEAF} &`, {
    ...OUT,
    detached: true,
    killOnCancel: true,
  });
  const grandchild = Number(textOf(await shell.stdout!.readLine()));
  assertEquals(await shell.wait(), 0);
  await assertRejects(
    () => timeout(1, () => shell.communicate()),
    TimeoutError,
  );
  assert(await hasGone(grandchild));
  assertEquals((await shell.communicate())[0]!.length, 0);
});

Deno.test("await using ends the child and closes its pipes", async () => {
  let pid = 0;
  {
    await using cat = await createSubprocessExec("cat", [], {
      stdin: PIPE,
      stdout: PIPE,
      stderr: PIPE,
    });
    pid = cat.pid;
    cat.stdin!.write(bytesOf(5_000_000));
  }
  assert(!isAlive(pid));
});

Deno.test("await using ends the child also when the task is cancelled", async () => {
  let pid = 0;
  const task = createTask(async () => {
    await using child = await createSubprocessExec("sleep", ["60"]);
    pid = child.pid;
    await sleep(60_000);
  });
  while (pid === 0) await sleep(5);
  task.cancel();
  await assertRejects(() => task, CancelledError);
  assert(!isAlive(pid));
});

Deno.test("await using ends the child though it is cancelled twice", async () => {
  let child: Process | undefined;
  const task = createTask(async () => {
    await using mine = await startStubborn({ graceMs: 100 });
    child = mine;
    await sleep(60_000);
  });
  while (child === undefined) await sleep(5);
  task.cancel();
  await sleep(10);
  task.cancel();
  await assertRejects(() => task, CancelledError);
  assertEquals(child.returnCode, -9);
});

Deno.test("await using after the end takes no time", async () => {
  let start = 0;
  {
    await using child = await createSubprocessExec("true", [], {
      ...IN_AND_OUT,
      graceMs: 60_000,
    });
    await child.wait();
    start = performance.now();
  }
  assertLess(performance.now() - start, 30_000, "it did not wait for nothing");
});

/** Catches what the default loop reports. */
async function reports(
  fn: (found: ExceptionContext[]) => Promise<void>,
): Promise<ExceptionContext[]> {
  const loop = getEventLoop();
  const handler = loop.getExceptionHandler();
  const found: ExceptionContext[] = [];
  loop.setExceptionHandler((context) => void found.push(context));
  try {
    await fn(found);
  } finally {
    loop.setExceptionHandler(handler);
  }
  return found;
}

Deno.test({
  name: "a child that is dropped while it runs is reported",
  ignore: !hasGc,
  fn: async () => {
    let pid = 0;
    const start = async () => {
      const child = await createSubprocessExec("sleep", ["60"], {
        stdin: PIPE,
        stdout: PIPE,
        stderr: PIPE,
      });
      pid = child.pid;
    };
    const found = await reports(async (list) => {
      await start();
      await collectUntil(() => list.length > 0);
    });
    assertStringIncludes(
      found[0]!.message,
      `subprocess ${pid} sleep running was dropped`,
    );
    await (await createSubprocessExec("kill", [`${pid}`])).wait();
    await until(() => !isAlive(pid), "the end of the child");
    await sleep(20);
  },
});

Deno.test({
  name: "a child of which a stream is held is not dropped",
  ignore: !hasGc,
  fn: async () => {
    const start = async () => {
      const child = await createSubprocessExec("cat", [], IN_AND_OUT);
      return [child.stdin!, child.stdout!] as const;
    };
    const found = await reports(async () => {
      const [stdin, stdout] = await start();
      let rounds = 0;
      await collectUntil(() => ++rounds > 5);
      stdin.write("still here\n");
      assertEquals(textOf(await stdout.readLine()), "still here\n");
      await collectUntil(() => ++rounds > 10);
      stdin.close();
      assertEquals((await stdout.read()).length, 0);
      await sleep(20);
    });
    assertEquals(found, []);
  },
});

Deno.test("a child that is left when its loop is closed is reported", async () => {
  const loop = newEventLoop();
  const found: string[] = [];
  loop.setExceptionHandler(({ message }) => void found.push(message));
  const child = await loop.runUntilComplete(() =>
    createSubprocessExec("sleep", ["60"], IN_AND_OUT)
  );
  const done = await loop.runUntilComplete(() => createSubprocessExec("true"));
  await loop.runUntilComplete(() => done.wait());
  loop.close();
  assertEquals(found, [
    `ResourceWarning: subprocess ${child.pid} sleep running was left when its event loop was closed`,
  ]);
  child.kill();
  await until(() => child.returnCode !== null, "the end of the child");
  assertEquals(child.returnCode, -9);
  assert(await hasGone(child.pid));
});

Deno.test("no child is left after many", async () => {
  const before = await children();
  for (let i = 0; i < 30; i++) {
    await using child = await createSubprocessExec("cat", [], IN_AND_OUT);
    if (i % 2 === 0) await child.communicate("x");
  }
  assertEquals(await children(), before);
});

Deno.test("callbacks of a child run in the context of its task", async () => {
  const { currentTask } = await import("@asyncio/asyncio");
  const variable = new ContextVar<string>("variable");
  const task = createTask(async () => {
    variable.set("mine");
    const child = await createSubprocessExec("echo", ["x"], OUT);
    await child.stdout!.readLine();
    assertEquals(variable.get(), "mine");
    assertEquals(currentTask(), task);
    await child.wait();
    assertEquals(variable.get(), "mine");
    assertEquals(currentTask(), task);
    await child.stdout!.read();
  });
  await task;
});

Deno.test("an aborted signal ends stop() with its reason, and kills the child at once", async () => {
  const child = await startStubborn();
  const { signal, abort, listeners } = countingSignal();
  const reason = new Error("out of patience");
  const stopping = createTask(() => child.stop({ graceMs: 60_000, signal }));
  await sleep(0);
  abort(reason);
  assertEquals(await assertRejects(() => stopping), reason);
  assertEquals(await child.wait(), -9);
  assertEquals(listeners(), 0);
  await child[Symbol.asyncDispose]();
});

Deno.test("stop() leaves the child alone if its signal is aborted before", async () => {
  await using child = await startStubborn();
  const reason = new Error("not at all");
  const error = await assertRejects(() =>
    child.stop({ signal: AbortSignal.abort(reason) })
  );
  assertEquals(error, reason);
  assertEquals(child.returnCode, null);
  assertEquals(await child.stop({ graceMs: 0 }), -9);
});

Deno.test("L18 a child is waited for in its own loop, and refused to another one", async () => {
  const own = newEventLoop();
  const other = newEventLoop();
  const cat = await own.runUntilComplete(() =>
    createSubprocessExec("cat", [], { stdin: PIPE })
  );
  await assertRejects(
    () => other.runUntilComplete(() => cat.wait()),
    InvalidStateError,
    "Cannot wait in Process.wait as it is bound to another event loop",
  );
  cat.stdin.close();
  assertEquals(await own.runUntilComplete(() => cat.wait()), 0);
  // What is known needs no wait.
  assertEquals(await other.runUntilComplete(() => cat.wait()), 0);
  own.close();
  other.close();
});
