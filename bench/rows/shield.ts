import { effect, ours } from "../sides.ts";
import { atLeast } from "../targets.ts";
import type { TimedRow } from "../types.ts";

/** A task each, and a wait for it that a cancellation would not follow into it. */
export const shield: TimedRow = {
  kind: "timed",
  id: "shield",
  title: "start a task and await it behind a shield",
  size: 100,
  python: true,
  targets: atLeast({ uvloop: 1, effect: 1 }),
  notes: {
    effection: "left out: it has no shield",
    effect: "forkChild and Fiber.join of Effect.uninterruptible",
  },
  peers: {
    ours: ours(({ createTask, shield }) => async (size) => {
      for (let i = size; i > 0; i--) {
        await shield(createTask(async () => {}));
      }
    }),
    effect: effect(({ Effect, Fiber }) => (size) =>
      Effect.gen(function* () {
        const child = Effect.uninterruptible(Effect.void);
        for (let i = size; i > 0; i--) {
          yield* Fiber.join(yield* Effect.forkChild(child));
        }
      })
    ),
  },
};
