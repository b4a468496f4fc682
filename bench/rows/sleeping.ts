import { liveBytes, nanosecondsEach } from "../memory.ts";
import { limits } from "../sides.ts";
import type { MeasuredRow, Metric } from "../types.ts";

const ahead = [
  { peer: "effection", atLeast: 1 },
  { peer: "effect", atLeast: 1 },
];

const metrics: readonly Metric[] = [
  {
    name: "start",
    unit: "ns",
    targets: [{ peer: "asyncio", atLeast: 1 }, ...ahead],
  },
  {
    name: "cancel",
    unit: "ns",
    targets: [{ peer: "asyncio", atLeast: 1 }, ...ahead],
  },
  {
    name: "memory",
    unit: "bytes",
    targets: [
      { peer: "asyncio", atLeast: 1 },
      { peer: "ours", below: 1150 },
      ...ahead,
    ],
  },
];

const HOUR = 3_600_000;

/** `size` tasks asleep at once: what it takes to get them there, what each holds, and cancelling them all. */
export function sleeping(size: number): MeasuredRow {
  return {
    kind: "measured",
    id: `sleeping_${size}`,
    title: `${size.toLocaleString("en")} sleeping tasks, each`,
    size,
    ...limits(size, { effection: 10_000, effect: 100_000 }),
    python: true,
    metrics,
    notes: {
      bare: "a promise and a setTimeout each, cleared and rejected",
      effection: "10,000 tasks at most: a million take minutes",
      asyncio: "memory is growth of the resident set",
      uvloop: "memory is growth of the resident set",
    },
    peers: {
      async ours() {
        const { createTask, gather, run, sleep } = await import(
          "@asyncio/asyncio"
        );
        return (size) =>
          run(async () => {
            const before = liveBytes();
            let start = performance.now();
            const tasks = Array.from(
              { length: size },
              () => createTask(() => sleep(HOUR)),
            );
            await sleep(0);
            const started = nanosecondsEach(start, size);
            const memory = (liveBytes() - before) / size;
            start = performance.now();
            for (const task of tasks) task.cancel();
            const ends = await gather(tasks, { returnExceptions: true });
            const cancel = nanosecondsEach(start, size);
            check(
              ends.filter((end: unknown) => end instanceof Error).length,
              size,
            );
            return { start: started, cancel, memory };
          });
      },
      bare() {
        return Promise.resolve(async (size) => {
          const before = liveBytes();
          let start = performance.now();
          const sleepers = Array.from({ length: size }, () => {
            const sleeper = {} as {
              timer: ReturnType<typeof setTimeout>;
              reject: (error: Error) => void;
              promise: Promise<void>;
            };
            sleeper.promise = new Promise((resolve, reject) => {
              sleeper.timer = setTimeout(resolve, HOUR);
              sleeper.reject = reject;
            });
            return sleeper;
          });
          await Promise.resolve();
          const started = nanosecondsEach(start, size);
          const memory = (liveBytes() - before) / size;
          start = performance.now();
          const ends = Promise.allSettled(
            sleepers.map(({ promise }) => promise),
          );
          for (const { timer, reject } of sleepers) {
            clearTimeout(timer);
            reject(new Error("cancelled"));
          }
          check((await ends).length, size);
          const cancel = nanosecondsEach(start, size);
          return { start: started, cancel, memory };
        });
      },
      async effection() {
        const { run, sleep, spawn, until } = await import("effection");
        return (size) =>
          run(function* () {
            const before = liveBytes();
            let start = performance.now();
            const tasks = [];
            for (let i = 0; i < size; i++) {
              tasks.push(yield* spawn(() => sleep(HOUR)));
            }
            yield* until(Promise.resolve());
            const started = nanosecondsEach(start, size);
            const memory = (liveBytes() - before) / size;
            start = performance.now();
            for (const task of tasks) yield* task.halt();
            const cancel = nanosecondsEach(start, size);
            return { start: started, cancel, memory };
          });
      },
      async effect() {
        const { Effect, Fiber } = await import("effect");
        return (size) =>
          Effect.runPromise(Effect.gen(function* () {
            const before = liveBytes();
            let start = performance.now();
            const fibers = [];
            for (let i = 0; i < size; i++) {
              fibers.push(yield* Effect.forkChild(Effect.sleep(HOUR)));
            }
            yield* Effect.yieldNow;
            const started = nanosecondsEach(start, size);
            const memory = (liveBytes() - before) / size;
            start = performance.now();
            yield* Fiber.interruptAll(fibers);
            const cancel = nanosecondsEach(start, size);
            return { start: started, cancel, memory };
          }));
      },
    },
  };
}

function check(count: number, size: number): void {
  if (count !== size) {
    throw new Error(`${count} of ${size} tasks were cancelled`);
  }
}
