import { atLeast } from "../targets.ts";
import type { TimedRow } from "../types.ts";

/** Calls `fn` in a warm worker, one call after the other. */
function oneByOne<A>(
  fn: (argument: A) => number,
  argumentOf: (call: number) => A,
): TimedRow["peers"] {
  const calls =
    (run: (argument: A) => Promise<number>) =>
    async (rounds: number, size: number) => {
      for (let call = rounds * size; call > 0; call--) {
        const argument = argumentOf(call);
        check(await run(argument), fn(argument));
      }
    };
  return {
    async ours() {
      const { run, WorkerPoolExecutor } = await import("@asyncio/asyncio");
      const executor = new WorkerPoolExecutor({ maxWorkers: 1 });
      const all = calls((argument) => executor.submit(fn, argument));
      return (rounds, size) => run(() => all(rounds, size));
    },
    async tinypool() {
      const { Tinypool } = await import("tinypool");
      const pool = new Tinypool({
        filename: `data:text/javascript,export default ${fn};`,
        minThreads: 1,
        maxThreads: 1,
      });
      return calls((argument) => pool.run(argument));
    },
    async workerpool() {
      const { default: workerpool } = await import("workerpool");
      const pool = workerpool.pool({ maxWorkers: 1, workerType: "thread" });
      return calls(async (argument) => await pool.exec(fn, [argument]));
    },
  };
}

const NOTES = {
  tinypool: "a function that its worker has imported",
  workerpool: "by its source, as ours",
};

/** Call a function that gives back its argument, in a worker that is there already. */
export const threadCall: TimedRow = {
  kind: "timed",
  id: "thread_call",
  title: "a call into a warm worker",
  size: 500,
  python: true,
  targets: [
    { peer: "asyncio", atMost: 1 },
    { peer: "tinypool", atMost: 0.9 },
    { peer: "workerpool", atMost: 0.9 },
  ],
  notes: { asyncio: "to_thread", ...NOTES },
  peers: oneByOne((n: number) => n, (call) => call),
};

const BYTES = new Uint8Array(2 ** 20);

/** The same with a copy of a megabyte, of which it gives back the length. */
export const threadBytes: TimedRow = {
  kind: "timed",
  id: "thread_bytes",
  title: "1 MiB copied into a warm worker",
  size: 20,
  python: false,
  targets: [
    { peer: "tinypool", atMost: 1 },
    { peer: "workerpool", atMost: 1 },
  ],
  notes: NOTES,
  peers: oneByOne((bytes: Uint8Array) => bytes.length, () => BYTES),
};

/** Ten calls at a time. */
export const threadTen: TimedRow = {
  kind: "timed",
  id: "thread_ten",
  title: "a call into warm workers, 10 at once",
  size: 500,
  python: true,
  targets: [{ peer: "asyncio", atMost: 0.67 }],
  notes: { ours: "two workers", asyncio: "to_thread, six threads" },
  peers: {
    async ours() {
      const { gather, run, WorkerPoolExecutor } = await import(
        "@asyncio/asyncio"
      );
      const executor = new WorkerPoolExecutor({ maxWorkers: 2 });
      return (rounds, size) =>
        run(async () => {
          for (let i = rounds * size; i > 0; i -= 10) {
            const ten = Array.from(
              { length: 10 },
              () => executor.submit((n: number) => n, i),
            );
            for (const result of await gather(ten)) check(result, i);
          }
        });
    },
  },
};

/** A job of some 10 ms that only computes. */
function collatz(limit: number): number {
  let steps = 0;
  for (let n = 1; n <= limit; n++) {
    for (let m = n; m !== 1; steps++) m = m % 2 === 0 ? m / 2 : 3 * m + 1;
  }
  return steps;
}

function spread(maxWorkers: number): TimedRow["peers"][string] {
  return async () => {
    const { gather, run, WorkerPoolExecutor } = await import(
      "@asyncio/asyncio"
    );
    const executor = new WorkerPoolExecutor({ maxWorkers });
    const expected = collatz(20_000);
    return (rounds, size) =>
      run(async () => {
        const jobs = Array.from(
          { length: rounds * size },
          () => executor.submit(collatz, 20_000),
        );
        for (const steps of await gather(jobs)) check(steps, expected);
      });
  };
}

/** Jobs that only compute, on two workers and on one. */
export const threadCores: TimedRow = {
  kind: "timed",
  id: "thread_cores",
  title: "a job for the processor, on two workers",
  size: 8,
  python: false,
  targets: atLeast({ "one-worker": 1.8 }),
  notes: { "one-worker": "ours, with maxWorkers 1" },
  peers: { ours: spread(2), "one-worker": spread(1) },
};

function check(result: unknown, expected: number): void {
  if (result !== expected) {
    throw new Error(`The worker gave ${result}, not ${expected}`);
  }
}
