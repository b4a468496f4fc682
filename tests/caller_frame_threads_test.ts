import {
  BrokenWorkerError,
  createSubprocessExec,
  createSubprocessShell,
  FileNotFoundError,
  getRunningLoop,
  prefork,
  QueueEmpty,
  run,
  runCoroutineThreadsafe,
  toThread,
  wait,
  WorkerPoolExecutor,
} from "@asyncio/asyncio";
import { assertEquals, assertMatch } from "@std/assert";
import {
  assertNamesCaller,
  errorOf,
  type Failure,
  firstUser,
} from "./_support/callers.ts";
import { WORK } from "./_support/threads.ts";
import { needs } from "./_support/runtimes.ts";
import { CALLER_FRAMES } from "../platform/limits.ts";

const PROGRAMS: readonly Failure[] = [
  {
    what: "createSubprocessExec() of no program",
    error: FileNotFoundError,
    message: /no-such-program/,
    prepare: () => () => createSubprocessExec("no-such-program"),
  },
  {
    what: "prefork() in no folder",
    error: FileNotFoundError,
    message: /ENOENT/,
    prepare: () => () =>
      prefork({ script: "none.ts", workers: 1, cwd: "/no/such/folder" }),
  },
  {
    what: "createSubprocessShell() in no folder",
    error: FileNotFoundError,
    message: /ENOENT/,
    prepare: () => () =>
      createSubprocessShell("true", { cwd: "/no/such/folder" }),
  },
];

const THREADS: readonly Failure[] = [
  {
    what: "toThread()",
    error: RangeError,
    message: /^too far$/,
    prepare: () => () =>
      toThread(() => {
        throw new RangeError("too far");
      }),
  },
  {
    what: "runInExecutor()",
    error: RangeError,
    message: /^too far$/,
    prepare: () => async () =>
      await getRunningLoop().runInExecutor(null, () => {
        throw new RangeError("too far");
      }),
  },
  {
    what: "a job that is over",
    error: RangeError,
    message: /^too far$/,
    async prepare() {
      const job = toThread(() => {
        throw new RangeError("too far");
      });
      await wait([job]);
      return async () => await job;
    },
  },
  {
    what: "the result() of a job that is over",
    error: RangeError,
    message: /^too far$/,
    async prepare() {
      const job = toThread(() => {
        throw new RangeError("too far");
      });
      await wait([job]);
      return () => job.result();
    },
  },
  {
    what: "submit() of a module's function",
    error: QueueEmpty,
    message: /^Nothing there$/,
    prepare(onEnd) {
      const executor = new WorkerPoolExecutor({ maxWorkers: 1 });
      onEnd(() => executor.shutdown());
      const work = executor.module<typeof import("./_support/thread_work.ts")>(
        WORK,
      );
      return async () => await work.fail();
    },
  },
  {
    what: "a worker that ends",
    error: BrokenWorkerError,
    message: /status 3/,
    prepare(onEnd) {
      const executor = new WorkerPoolExecutor({ maxWorkers: 1 });
      onEnd(() => executor.shutdown());
      return async () =>
        await executor.submit(() => {
          (globalThis as unknown as { process: { exit(code: number): void } })
            .process.exit(3);
        });
    },
  },
];

for (const failure of [...PROGRAMS, ...THREADS]) {
  Deno.test(`the stack of ${failure.what} names who awaited it`, {
    ...needs(CALLER_FRAMES, failure.ignore),
  }, () => assertNamesCaller(failure));
}

Deno.test(
  "the error of a worker has its own frames, and then the caller's",
  needs(CALLER_FRAMES),
  async () => {
    const executor = new WorkerPoolExecutor({ maxWorkers: 1 });
    const error = await errorOf(
      {
        ...THREADS[0]!,
        prepare: () => async () =>
          await executor.submit(function tooFar() {
            throw new RangeError("too far");
          }),
      },
      firstUser,
      false,
    );
    assertMatch(error.stack!, /at tooFar[^]+at async firstUser/);
    assertEquals(error.stack!.split("too far").length, 2);
    await executor.shutdown();
  },
);

Deno.test(
  "in a worker, an error of the main thread names who called it",
  needs(CALLER_FRAMES),
  async () => {
    const executor = new WorkerPoolExecutor({
      maxWorkers: 1,
      exposed: {
        refuse() {
          throw new RangeError("not that");
        },
      },
    });
    await run(async () => {
      const stack = await executor.submit(async () => {
        async function caller() {
          await runCoroutineThreadsafe("refuse");
        }
        return await caller().catch((error) => error.stack);
      });
      assertMatch(
        stack as string,
        /^RangeError: not that\n[^]+at refuse[^]+at async caller/,
      );
      await executor.shutdown();
    });
  },
);
