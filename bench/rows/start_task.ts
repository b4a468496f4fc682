import type { TimedRow } from "../types.ts";

/** One task after the other: create it, await it. */
export const startTask: TimedRow = {
  kind: "timed",
  id: "start_task",
  title: "start a task and await it",
  size: 100,
  python: true,
  targets: [
    { peer: "uvloop", atLeast: 3 },
    { peer: "effection", atLeast: 1 },
    { peer: "effect", atLeast: 1 },
  ],
  notes: {
    bare: "calls an async function: no task, no cancellation",
    effection: "spawn, then yield* the task",
    effect: "forkChild of Effect.void, then Fiber.join",
  },
  peers: {
    async ours() {
      const { createTask, run } = await import("@asyncio/asyncio");
      return (rounds, size) =>
        run(async () => {
          for (let i = rounds * size; i > 0; i--) {
            await createTask(async () => {});
          }
        });
    },
    bare() {
      const child = async () => {};
      return Promise.resolve(async (rounds, size) => {
        for (let i = rounds * size; i > 0; i--) await child();
      });
    },
    async effection() {
      const { run, spawn } = await import("effection");
      return (rounds, size) =>
        run(function* () {
          for (let i = rounds * size; i > 0; i--) {
            const task = yield* spawn(function* () {});
            yield* task;
          }
        });
    },
    async effect() {
      const { Effect, Fiber } = await import("effect");
      return (rounds, size) =>
        Effect.runPromise(Effect.gen(function* () {
          for (let i = rounds * size; i > 0; i--) {
            const fiber = yield* Effect.forkChild(Effect.void);
            yield* Fiber.join(fiber);
          }
        }));
    },
  },
};
