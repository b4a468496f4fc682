import { bare, effect, effection, ours } from "../sides.ts";
import { atLeast } from "../targets.ts";
import type { TimedRow } from "../types.ts";

/** Start a thousand children in a group, which ends when all have. */
export const taskGroup: TimedRow = {
  kind: "timed",
  id: "task_group",
  title: "TaskGroup of 1,000, each",
  size: 1000,
  python: true,
  targets: atLeast({ uvloop: 1, effection: 1, effect: 1 }),
  notes: {
    bare: "Promise.all of async functions: no tasks, no cancellation",
    effection: "scoped(), a spawn each, and yield* of each",
    effect: "Effect.forEach with unbounded concurrency, nothing kept",
  },
  peers: {
    ours: ours(({ taskGroup }) => (size) =>
      taskGroup((group) => {
        for (let i = size; i > 0; i--) group.createTask(async () => {});
      })
    ),
    bare: bare((size) => {
      const child = async () => {};
      return Promise.all(Array.from({ length: size }, child));
    }),
    effection: effection(({ scoped, spawn }) => (size) =>
      scoped(function* () {
        const tasks = [];
        for (let i = size; i > 0; i--) {
          tasks.push(yield* spawn(function* () {}));
        }
        for (const task of tasks) yield* task;
      })
    ),
    effect: effect(({ Effect }) => (size) =>
      Effect.forEach(
        Array.from({ length: size }, (_, i) => i),
        () => Effect.gen(function* () {}),
        { concurrency: "unbounded", discard: true },
      )
    ),
  },
};
