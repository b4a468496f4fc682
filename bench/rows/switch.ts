import type { Target, TimedRow } from "../types.ts";

const targets: readonly Target[] = [
  { peer: "uvloop", atLeast: 5 },
  { peer: "bare", atMost: 2 },
  { peer: "effection", atLeast: 1 },
  { peer: "effect", atLeast: 1 },
];

const notes = {
  bare: "await new Promise((resolve) => queueMicrotask(resolve))",
  // Its sleep(0) is a setTimeout of a millisecond, which would say nothing about the cost of a switch.
  effection: "yield* until(Promise.resolve()): it has no yield to the others",
  effect: "Effect.yieldNow",
};

/** One task gives way to nobody, again and again: the bare cost of a switch. */
export const switchOne: TimedRow = {
  kind: "timed",
  id: "switch_one",
  title: "sleep(0), one task",
  size: 1000,
  python: true,
  targets,
  notes,
  peers: {
    async ours() {
      const { run, sleep } = await import("@asyncio/asyncio");
      return (rounds, size) =>
        run(async () => {
          for (let i = rounds * size; i > 0; i--) await sleep(0);
        });
    },
    bare() {
      return Promise.resolve(async (rounds, size) => {
        for (let i = rounds * size; i > 0; i--) await bareSwitch();
      });
    },
    async effection() {
      const { run, until } = await import("effection");
      return (rounds, size) =>
        run(function* () {
          for (let i = rounds * size; i > 0; i--) {
            yield* until(Promise.resolve());
          }
        });
    },
    async effect() {
      const { Effect } = await import("effect");
      return (rounds, size) =>
        Effect.runPromise(Effect.gen(function* () {
          for (let i = rounds * size; i > 0; i--) yield* Effect.yieldNow;
        }));
    },
  },
};

/** A hundred tasks take turns. Starting them is part of it, once in 500 switches each. */
export const switchHundred: TimedRow = {
  kind: "timed",
  id: "switch_hundred",
  title: "sleep(0), 100 tasks in turn",
  size: 50_000,
  python: true,
  targets,
  notes,
  peers: {
    async ours() {
      const { createTask, run, sleep } = await import("@asyncio/asyncio");
      const turns = async (count: number) => {
        for (let i = count; i > 0; i--) await sleep(0);
      };
      return (rounds, size) =>
        run(async () => {
          for (let round = rounds; round > 0; round--) {
            const tasks = Array.from(
              { length: 100 },
              () => createTask(() => turns(size / 100)),
            );
            for (const task of tasks) await task;
          }
        });
    },
    bare() {
      const turns = async (count: number) => {
        for (let i = count; i > 0; i--) await bareSwitch();
      };
      return Promise.resolve(async (rounds, size) => {
        for (let round = rounds; round > 0; round--) {
          await Promise.all(
            Array.from({ length: 100 }, () => turns(size / 100)),
          );
        }
      });
    },
    async effection() {
      const { run, spawn, until } = await import("effection");
      function* turns(count: number) {
        for (let i = count; i > 0; i--) yield* until(Promise.resolve());
      }
      return (rounds, size) =>
        run(function* () {
          for (let round = rounds; round > 0; round--) {
            const tasks = [];
            for (let i = 0; i < 100; i++) {
              tasks.push(yield* spawn(() => turns(size / 100)));
            }
            for (const task of tasks) yield* task;
          }
        });
    },
    async effect() {
      const { Effect, Fiber } = await import("effect");
      const turns = (count: number) =>
        Effect.gen(function* () {
          for (let i = count; i > 0; i--) yield* Effect.yieldNow;
        });
      return (rounds, size) =>
        Effect.runPromise(Effect.gen(function* () {
          for (let round = rounds; round > 0; round--) {
            const fibers = [];
            for (let i = 0; i < 100; i++) {
              fibers.push(yield* Effect.forkChild(turns(size / 100)));
            }
            for (const fiber of fibers) yield* Fiber.join(fiber);
          }
        }));
    },
  },
};

function bareSwitch(): Promise<void> {
  return new Promise((resolve) => queueMicrotask(resolve));
}
