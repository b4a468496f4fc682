import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  CancelledError,
  copyContext,
  createTask,
  currentTask,
  gather,
  getRunningLoop,
  QueueEmpty,
  run,
  runCoroutineThreadsafe,
  sleep,
  toThread,
  WorkerPoolExecutor,
} from "@asyncio/asyncio";
import {
  sharedState,
  SLOW_MODULE,
  until,
  WORK,
  type Work,
} from "../_support/threads.ts";
import { attachment, user } from "../_support/thread_work.ts";

Deno.test("module() calls what a module exports, with types", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  const work = executor.module<Work>(WORK);
  const doubled: number = await work.double(21);
  assertEquals(doubled, 42);
  // @ts-expect-error It takes a number.
  assertEquals(await work.double("21"), 42);
  // @ts-expect-error It is no function.
  assertEquals(typeof work.version, "function");
  assertEquals(await executor.module<Work>(WORK.href).double(1), 2);
});

Deno.test("module() loads the module once in a worker", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  const { count } = executor.module<Work>(WORK);
  assertEquals(await gather([count(), count(), count()]), [1, 2, 3]);
});

Deno.test("module() gives a proxy that can be awaited and compared", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  const work = executor.module<Work>(WORK);
  assertStrictEquals(await Promise.resolve(work), work);
  assertStrictEquals(work.double, work.double);
});

Deno.test("module() refuses a relative specifier", async () => {
  await using executor = new WorkerPoolExecutor();
  for (const specifier of ["./work.ts", "../work.ts", "/work.ts"]) {
    assertThrows(
      () => executor.module(specifier),
      TypeError,
      `must not be relative, since it is not known to what: received "${specifier}"; write new URL("${specifier}", import.meta.url)`,
    );
  }
  assertThrows(() => executor.module(1 as never), TypeError, "must be a URL");
});

Deno.test("a function that the module does not export is named", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  const work = executor.module<{ triple(): void; version(): void }>(WORK);
  await assertRejects(() => work.triple(), TypeError, "Cannot call triple of");
  const error = await assertRejects(() => work.version(), TypeError);
  assertStringIncludes(error.message, "double");
});

Deno.test("a module that cannot be loaded fails its job", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  const work = executor.module<Work>(new URL("../nowhere.js", WORK));
  await assertRejects(() => work.double(1), Error, "nowhere.js");
  assertEquals(await executor.submit(() => 1), 1);
});

Deno.test("errors of this library come back as such", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  const work = executor.module<Work>(WORK);
  await assertRejects(() => work.fail(), QueueEmpty, "Nothing there");
});

Deno.test("transfer() works for what a module's function returns", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  const zeros = await executor.module<Work>(WORK).zeros(1_000_000);
  assertEquals(zeros.length, 1_000_000);
});

Deno.test("a module's function is a task of its worker", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  assertEquals(await executor.module<Work>(WORK).nameOfTask(), "Job");
});

Deno.test("X1 context variables travel with the call", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  const work = executor.module<Work>(WORK);
  assertEquals(await work.nameOfUser(), "nobody");
  const task = createTask(async () => {
    user.set("ada");
    assertEquals(await work.nameOfUser(), "ada");
    assertEquals(await work.nameOfUserLater(), "ada");
    assertEquals(await work.changeUser(), "someone else");
    assertEquals(user.get(), "ada");
    assertEquals(await work.nameOfUser(), "ada");
    // One that waits for its worker takes those of its call.
    const first = work.nameOfUserLater();
    const second = work.nameOfUser();
    user.set("grace");
    assertEquals(await gather([first, second]), ["ada", "ada"]);
  });
  await task;
  assertEquals(await work.nameOfUser(), "nobody");
});

Deno.test("X1 a context variable that cannot be cloned stays here", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  const work = executor.module<Work>(WORK);
  await createTask(async () => {
    user.set("ada");
    attachment.set(() => {});
    const queued = [work.hasAttachment(), work.nameOfUser()];
    assertEquals(await gather(queued), [false, "ada"]);
    attachment.set([1]);
    assertEquals(await work.hasAttachment(), true);
  });
});

Deno.test("X1 runInExecutor() takes the context along", async () => {
  await run(async () => {
    user.set("ada");
    const executor = new WorkerPoolExecutor({ maxWorkers: 1 });
    getRunningLoop().setDefaultExecutor(executor);
    const name = await copyContext().run(() =>
      executor.module<Work>(WORK).nameOfUser()
    );
    assertEquals(name, "ada");
    assertEquals(
      await getRunningLoop().runInExecutor(null, (a, b) => a * b, 6, 7),
      42,
    );
  });
});

Deno.test("runCoroutineThreadsafe() calls what is exposed, as a task", async () => {
  const seen: unknown[] = [];
  await using executor = new WorkerPoolExecutor({
    maxWorkers: 1,
    exposed: {
      async add(a: number, b: number) {
        await sleep(1);
        seen.push(currentTask()?.name, user.get());
        return a + b;
      },
    },
  });
  await createTask(async () => {
    user.set("ada");
    const sum = await executor.submit(() =>
      runCoroutineThreadsafe<number>("add", 20, 22)
    );
    assertEquals(sum, 42);
  });
  assertEquals(seen, ["runCoroutineThreadsafe add", "ada"]);
});

Deno.test("runCoroutineThreadsafe() passes errors on to the worker and back", async () => {
  await using executor = new WorkerPoolExecutor({
    maxWorkers: 1,
    exposed: {
      fail() {
        throw new QueueEmpty("Nothing there");
      },
      closure: () => () => {},
    },
  });
  await assertRejects(
    () => executor.submit(() => runCoroutineThreadsafe("fail")),
    QueueEmpty,
  );
  await assertRejects(
    () => executor.submit(() => runCoroutineThreadsafe("closure")),
    TypeError,
    "cannot be cloned",
  );
  await assertRejects(
    () => executor.submit(() => runCoroutineThreadsafe("fial")),
    ReferenceError,
    'Cannot call "fial" from a worker as the main thread does not expose it: exposed are fail, closure',
  );
  await assertRejects(
    () => executor.submit(() => runCoroutineThreadsafe("fail", () => {})),
    TypeError,
    "argument 1",
  );
});

Deno.test("X4 cancelling a call from the worker cancels the task", async () => {
  let reason: unknown;
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  await using executor = new WorkerPoolExecutor({
    maxWorkers: 1,
    exposed: {
      begun: () => begun,
      async forever() {
        begin();
        try {
          await sleep(60_000);
        } catch (error) {
          reason = (error as CancelledError).reason;
          throw error;
        }
      },
    },
  });
  const work = executor.module<Work>(WORK);
  assertEquals(await work.callAndCancel(), "CancelledError");
  while (reason === undefined) await sleep(1);
  assertEquals(reason, "enough");
});

Deno.test("cancelling a job cancels what it calls here", async () => {
  const seen: string[] = [];
  await using executor = new WorkerPoolExecutor({
    maxWorkers: 1,
    exposed: {
      async forever() {
        seen.push("begun");
        await sleep(60_000).finally(() => seen.push("cancelled"));
      },
    },
  });
  const job = executor.submit(() => runCoroutineThreadsafe("forever"));
  while (!seen.includes("begun")) await sleep(1);
  job.cancel();
  while (!seen.includes("cancelled")) await sleep(1);
  await assertRejects(() => job, CancelledError);
});

Deno.test("the end of a worker cancels what it calls here", async () => {
  const seen: string[] = [];
  await using executor = new WorkerPoolExecutor({
    maxWorkers: 1,
    exposed: {
      async forever() {
        seen.push("begun");
        await sleep(60_000).finally(() => seen.push("cancelled"));
      },
      begun: () => seen.includes("begun"),
    },
  });
  const job = executor.submit(async () => {
    runCoroutineThreadsafe("forever");
    while (!await runCoroutineThreadsafe("begun"));
    process.exit(3);
  });
  await assertRejects(() => job, Error, "status 3");
  while (!seen.includes("cancelled")) await sleep(1);
});

Deno.test("runCoroutineThreadsafe() needs a worker around it", () => {
  assertThrows(
    () => runCoroutineThreadsafe("any"),
    Error,
    "not run in a worker",
  );
});

Deno.test("a wait in a worker is cancelled, and its finally can wait", async () => {
  const said: string[] = [];
  await using executor = new WorkerPoolExecutor({
    maxWorkers: 1,
    graceMs: Infinity,
    exposed: { say: (text: string) => void said.push(text) },
  });
  const state = sharedState();
  const job = executor.module<Work>(WORK).nap(state);
  await until(state, 1);
  job.cancel("go home");
  assert(job.cancelled());
  await until(state, 2);
  assertEquals(said, ["go home"]);
  assertEquals(executor.statistics().workers, 1);
});

Deno.test("toThread() finds the four functions of the library in a worker", async () => {
  assertEquals(
    await toThread(() =>
      [typeof runCoroutineThreadsafe, "cancelSignal" in globalThis].join()
    ),
    "function,false",
  );
});

Deno.test("a job that is cancelled while its module loads does not begin", async () => {
  await using executor = new WorkerPoolExecutor({
    maxWorkers: 1,
    graceMs: Infinity,
  });
  const state = sharedState();
  await executor.submit((shared) => {
    (globalThis as { loading?: Int32Array }).loading = shared;
  }, state);
  const work = executor.module<typeof import("../_support/slow_module.ts")>(
    SLOW_MODULE,
  );
  const job = work.begin(state);
  await until(state, 1);
  job.cancel();
  Atomics.store(state, 0, 2);
  await executor.submit(() => {});
  assertEquals(state[0], 2);
});
