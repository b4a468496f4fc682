import { bare, effect, effection, ours } from "../sides.ts";
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
    ours: ours(({ sleep }) => async (size) => {
      for (let i = size; i > 0; i--) await sleep(0);
    }),
    bare: bare(async (size) => {
      for (let i = size; i > 0; i--) await bareSwitch();
    }),
    effection: effection(({ until }) =>
      function* (size) {
        for (let i = size; i > 0; i--) yield* until(Promise.resolve());
      }
    ),
    effect: effect(({ Effect }) => (size) =>
      Effect.gen(function* () {
        for (let i = size; i > 0; i--) yield* Effect.yieldNow;
      })
    ),
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
    ours: ours(({ createTask, sleep }) => {
      const turns = async (count: number) => {
        for (let i = count; i > 0; i--) await sleep(0);
      };
      return async (size) => {
        const tasks = Array.from(
          { length: 100 },
          () => createTask(() => turns(size / 100)),
        );
        for (const task of tasks) await task;
      };
    }),
    bare: bare((size) => {
      const turns = async (count: number) => {
        for (let i = count; i > 0; i--) await bareSwitch();
      };
      return Promise.all(
        Array.from({ length: 100 }, () => turns(size / 100)),
      );
    }),
    effection: effection(({ spawn, until }) => {
      const turns = function* (count: number) {
        for (let i = count; i > 0; i--) yield* until(Promise.resolve());
      };
      return function* (size) {
        const tasks = [];
        for (let i = 0; i < 100; i++) {
          tasks.push(yield* spawn(() => turns(size / 100)));
        }
        for (const task of tasks) yield* task;
      };
    }),
    effect: effect(({ Effect, Fiber }) => {
      const turns = (count: number) =>
        Effect.gen(function* () {
          for (let i = count; i > 0; i--) yield* Effect.yieldNow;
        });
      return (size) =>
        Effect.gen(function* () {
          const fibers = [];
          for (let i = 0; i < 100; i++) {
            fibers.push(yield* Effect.forkChild(turns(size / 100)));
          }
          for (const fiber of fibers) yield* Fiber.join(fiber);
        });
    }),
  },
};

function bareSwitch(): Promise<void> {
  return new Promise((resolve) => queueMicrotask(resolve));
}
