// What a job can do to its worker: it is the job that fails, and nothing else.
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  BrokenWorkerError,
  type ExceptionContext,
  getRunningLoop,
  run,
  toThread,
  transfer,
  WorkerPoolExecutor,
  type WorkerResourceLimits,
} from "@asyncio/asyncio";
import { needs } from "../_support/runtimes.ts";
import { THREAD_LIMITS } from "../../platform/limits.ts";

type Body = (executor: WorkerPoolExecutor) => Promise<void>;

/** Runs `body` with one worker; nothing may be reported meanwhile. */
function withOneWorker(body: Body): () => Promise<void> {
  return async () => {
    const reports: ExceptionContext[] = [];
    await run(async () => {
      getRunningLoop().setExceptionHandler((context) => {
        reports.push(context);
      });
      await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
      await body(executor);
      assertEquals(await executor.submit(() => "serves"), "serves");
    });
    assertEquals(reports.map((each) => each.message), []);
  };
}

/** What a job posts by itself, each as an expression. */
const FOREIGN: readonly string[] = [
  "null",
  "undefined",
  "0",
  "'text'",
  "[]",
  "{}",
  "new Map()",
  "{ kind: 'done', value: 'forged' }",
  "{ kind: 'done', error: null }",
  "{ kind: 'crash', error: 5 }",
  "{ kind: 'call', call: 1, name: 'nothing', args: null }",
  "{ kind: 'cancelCall', call: 1, error: null }",
  "{ kind: 'constructor' }",
  "{ key: 1, kind: 'done', value: 'forged' }",
  "{ ...workerData, kind: 'done', value: 'forged' }",
];

Deno.test(
  "what a job posts by itself is ignored",
  withOneWorker(async (executor) => {
    for (const message of FOREIGN) {
      const result = await executor.submit(async (text) => {
        const { parentPort, workerData } = await import("node:worker_threads");
        const make = new Function("workerData", `return (${text})`);
        parentPort!.postMessage(make(workerData));
        await new Promise((resolve) => setTimeout(resolve, 0));
        return "its own";
      }, message);
      assertEquals(result, "its own", message);
    }
  }),
);

Deno.test(
  "what a job leaves behind posts between two jobs is ignored",
  withOneWorker(async (executor) => {
    const posted = new Int32Array(new SharedArrayBuffer(4));
    await executor.submit(async (shared) => {
      const { parentPort } = await import("node:worker_threads");
      setTimeout(() => {
        for (const each of [null, { kind: "done" }]) {
          parentPort!.postMessage(each);
        }
        Atomics.store(shared, 0, 1);
      }, 1);
    }, posted);
    while (Atomics.load(posted, 0) === 0) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }),
);

Deno.test(
  "a job that cannot post what it throws fails",
  withOneWorker(async (executor) => {
    await assertRejects(() =>
      executor.submit(() => {
        throw Object.assign(new Error("x"), {
          get field() {
            throw new Error("no");
          },
        });
      })
    );
    await assertRejects(
      () =>
        executor.submit(() => ({
          get field() {
            throw new Error("from the getter");
          },
        })),
      TypeError,
      "cannot be cloned",
    );
  }),
);

/** A job that closes the port to its thread, and does not end by itself. */
async function closePort(): Promise<void> {
  const { parentPort } = await import("node:worker_threads");
  parentPort!.close();
  await new Promise((resolve) => setTimeout(resolve, 60_000));
}

Deno.test({
  name: "a job that closes the port to its thread breaks its worker",
  // Its port has nothing to close it.
  ignore: "Deno" in globalThis,
  fn: withOneWorker(async (executor) => {
    await assertRejects(() => executor.submit(closePort), BrokenWorkerError);
  }),
});

Deno.test({
  name: "a job that removes all listeners of the port hurts no later one",
  // There it cannot.
  ignore: "Deno" in globalThis,
  fn: withOneWorker(async (executor) => {
    for (const events of [[], ["message"], ["close"]]) {
      await executor.submit(async (events) => {
        const { parentPort } = await import("node:worker_threads");
        parentPort!.removeAllListeners(...events);
        Object.assign(globalThis, { mark: 1 });
      }, events as [] | [string]);
      const mark = () => (globalThis as { mark?: number }).mark;
      assertEquals(await executor.submit(mark), 1);
    }
    await assertRejects(() => executor.submit(closePort), BrokenWorkerError);
  }),
});

Deno.test(
  "a job that puts another function for posting into the port gives its result",
  withOneWorker(async (executor) => {
    const result = await executor.submit(async () => {
      const { parentPort } = await import("node:worker_threads");
      parentPort!.postMessage = () => {};
      return "its own";
    });
    assertEquals(result, "its own");
  }),
);

Deno.test(
  "a job that exits breaks its worker",
  withOneWorker(async (executor) => {
    const jobs: (() => unknown)[] = [
      () => process.exit(),
      () => process.exit(7),
      async () => {
        await null;
        process.exit(0);
      },
      () =>
        new Promise(() => {
          setTimeout(() => process.exit(1), 0);
        }),
    ];
    for (const job of jobs) {
      await assertRejects(() => executor.submit(job), BrokenWorkerError);
    }
  }),
);

Deno.test("a message port goes to the caller with the result", async () => {
  const { port } = await toThread(async () => {
    const { MessageChannel } = await import("node:worker_threads");
    const { port1, port2 } = new MessageChannel();
    port1.on("message", (text) => port1.postMessage(`${text} back`));
    return transfer({ port: port2 }, [port2 as never]);
  });
  const answer = new Promise((resolve) => {
    (port as unknown as MessagePort).onmessage = ({ data }) => resolve(data);
  });
  port.postMessage("there and");
  assertEquals(await answer, "there and back");
  port.close();
});

// In small pieces: V8 aborts the process if one piece far exceeds the limit.
const HUNGRY: Readonly<Record<string, () => unknown>> = {
  "in its first step": () => {
    for (let n = 0, last: unknown = null;; n++) last = { n, last, list: [n] };
  },
  "after an await": async () => {
    await null;
    for (let n = 0, last: unknown = null;; n++) last = { n, last, list: [n] };
  },
  "in a timer": () =>
    new Promise(() => {
      setTimeout(() => {
        for (let n = 0, last: unknown = null;; n++) last = { n, last };
      }, 0);
    }),
  "after it has read a file": async () => {
    const { readdir } = await import("node:fs/promises");
    await readdir("/");
    for (let n = 0, last: unknown = null;; n++) {
      last = { last, text: `${n}`.repeat(1000) + n };
    }
  },
};

for (const [when, job] of Object.entries(HUNGRY)) {
  Deno.test(
    `a job that runs out of memory ${when} breaks its worker`,
    needs(THREAD_LIMITS),
    async () => {
      await using executor = new WorkerPoolExecutor({
        maxWorkers: 1,
        resourceLimits: { maxOldGenerationSizeMb: 32 },
      });
      const error = await assertRejects(
        () => executor.submit(job),
        BrokenWorkerError,
        "as its worker ran out of memory",
      );
      assertEquals(
        (error.cause as { code?: string }).code,
        "ERR_WORKER_OUT_OF_MEMORY",
      );
      assertEquals(await executor.submit(() => "serves"), "serves");
    },
  );
}

Deno.test(
  "resourceLimits are those of the workers",
  needs(THREAD_LIMITS),
  async () => {
    await using executor = new WorkerPoolExecutor({
      maxWorkers: 1,
      resourceLimits: { maxOldGenerationSizeMb: 77, stackSizeMb: 2 },
    });
    const limits = await executor.submit(async () => {
      const { resourceLimits } = await import("node:worker_threads");
      return { ...resourceLimits };
    });
    assertEquals(
      [limits.maxOldGenerationSizeMb, limits.stackSizeMb],
      [77, 2],
    );
  },
);

Deno.test(
  "a limit on what is old limits what is young, unless that has its own",
  needs(THREAD_LIMITS),
  async () => {
    const youngOf = async (limits: WorkerResourceLimits) => {
      await using executor = new WorkerPoolExecutor({
        maxWorkers: 1,
        resourceLimits: limits,
      });
      return executor.submit(async () => {
        const { resourceLimits } = await import("node:worker_threads");
        return resourceLimits.maxYoungGenerationSizeMb;
      });
    };
    assertEquals(await youngOf({ maxOldGenerationSizeMb: 64 }), 12);
    assertEquals(
      await youngOf({
        maxOldGenerationSizeMb: 64,
        maxYoungGenerationSizeMb: 24,
      }),
      24,
    );
  },
);

Deno.test("resourceLimits that are none are refused", () => {
  const make = (resourceLimits: unknown) => () =>
    new WorkerPoolExecutor({ resourceLimits: resourceLimits as object });
  assertThrows(make(3), TypeError, "'resourceLimits' must be an object");
  assertThrows(make({ heap: 3 }), TypeError, 'received "resourceLimits.heap"');
  assertThrows(
    make({ stackSizeMb: "4" }),
    TypeError,
    "'resourceLimits.stackSizeMb' must be a number of megabytes",
  );
  for (const mb of [0, -1, NaN, Infinity]) {
    assertThrows(make({ stackSizeMb: mb }), RangeError, `received ${mb}`);
  }
});
