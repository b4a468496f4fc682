import { bare, effect, effection, ours } from "../sides.ts";
import { atLeast } from "../targets.ts";
import type { TimedRow } from "../types.ts";

const HOUR = 3_600_000;

/** Start a task that sleeps, let it fall asleep, cancel it and wait for its end. */
export const cancelTask: TimedRow = {
  kind: "timed",
  id: "cancel_task",
  title: "start a task, cancel it and wait for its end",
  size: 100,
  python: true,
  targets: atLeast({ uvloop: 1, effection: 1, effect: 1 }),
  notes: {
    bare: "a setTimeout with an AbortController",
    effection: "spawn, then halt the task",
    effect: "forkChild, then Fiber.interrupt",
  },
  peers: {
    ours: ours(({ createTask, sleep }) => async (size) => {
      for (let i = size; i > 0; i--) {
        const task = createTask(() => sleep(HOUR));
        await sleep(0);
        task.cancel();
        try {
          await task;
        } catch {
          // It was cancelled.
        }
      }
    }),
    bare: bare(async (size) => {
      for (let i = size; i > 0; i--) {
        const controller = new AbortController();
        const sleeping = sleepUntilAborted(controller.signal);
        await Promise.resolve();
        controller.abort();
        try {
          await sleeping;
        } catch {
          // It was aborted.
        }
      }
    }),
    effection: effection(({ sleep, spawn, until }) =>
      function* (size) {
        for (let i = size; i > 0; i--) {
          const task = yield* spawn(() => sleep(HOUR));
          yield* until(Promise.resolve());
          yield* task.halt();
        }
      }
    ),
    effect: effect(({ Effect, Fiber }) => (size) =>
      Effect.gen(function* () {
        for (let i = size; i > 0; i--) {
          const fiber = yield* Effect.forkChild(Effect.sleep(HOUR));
          yield* Effect.yieldNow;
          yield* Fiber.interrupt(fiber);
        }
      })
    ),
  },
};

function sleepUntilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, HOUR);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
}
