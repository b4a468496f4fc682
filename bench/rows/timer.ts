import { bare, effect, effection, ours } from "../sides.ts";
import { atLeast } from "../targets.ts";
import type { TimedRow } from "../types.ts";

/**
 * Schedule a timer a minute ahead and cancel it at once, as a timeout that does not fire would. Once in a round the
 * loop turns: asyncio clears cancelled timers away only then.
 */
export const timer: TimedRow = {
  kind: "timed",
  id: "timer",
  title: "schedule and cancel a timer",
  size: 1000,
  python: true,
  targets: atLeast({ asyncio: 8, effection: 1, effect: 1 }),
  notes: {
    bare: "setTimeout, clearTimeout",
    effection: "it has no timers: spawn a task that sleeps, and halt it",
    effect: "it has no timers: fork a fiber that sleeps, and interrupt it",
  },
  peers: {
    ours: ours(({ getRunningLoop, sleep }) => async (size) => {
      const loop = getRunningLoop();
      for (let i = size; i > 0; i--) {
        loop.callLater(60_000, callback).cancel();
      }
      await sleep(0);
    }),
    bare: bare(async (size) => {
      for (let i = size; i > 0; i--) clearTimeout(setTimeout(callback, 60_000));
      await new Promise<void>((resolve) => queueMicrotask(resolve));
    }),
    effection: effection(({ sleep, spawn }) =>
      function* (size) {
        for (let i = size; i > 0; i--) {
          const task = yield* spawn(() => sleep(60_000));
          yield* task.halt();
        }
      }
    ),
    effect: effect(({ Effect, Fiber }) => (size) =>
      Effect.gen(function* () {
        for (let i = size; i > 0; i--) {
          const fiber = yield* Effect.forkChild(Effect.sleep(60_000), {
            startImmediately: true,
          });
          yield* Fiber.interrupt(fiber);
        }
      })
    ),
  },
};

function callback(): void {}
