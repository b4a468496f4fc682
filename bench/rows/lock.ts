import { asyncMutex, check, effect, ours } from "../sides.ts";
import type { Target, TimedRow } from "../types.ts";

const targets: readonly Target[] = [
  { peer: "uvloop", atLeast: 1 },
  { peer: "effect", atLeast: 1 },
  { peer: "async-mutex", atLeast: 1 },
];

const notes = {
  effection: "left out: it has neither lock nor semaphore",
  effect: "Semaphore.withPermits(1)",
};

const TASKS = 10;

/** Taking and giving back what nobody else wants. `permits` of 0 stands for a lock. */
function free(id: string, title: string, permits: number): TimedRow {
  return {
    kind: "timed",
    id,
    title,
    size: 1000,
    python: true,
    targets,
    notes,
    peers: {
      ours: ours(({ Lock, Semaphore }) => async (size) => {
        const lock = permits === 0 ? new Lock() : new Semaphore(permits);
        for (let i = size; i > 0; i--) {
          await lock.acquire();
          lock.release();
        }
      }),
      effect: effect(({ Effect, Semaphore }) => (size) =>
        Effect.gen(function* () {
          const semaphore = yield* Semaphore.make(permits || 1);
          for (let i = size; i > 0; i--) {
            yield* semaphore.withPermits(1)(Effect.void);
          }
        })
      ),
      "async-mutex": asyncMutex(({ Mutex, Semaphore }) => async (size) => {
        const lock = permits === 0 ? new Mutex() : new Semaphore(permits);
        for (let i = size; i > 0; i--) {
          await lock.acquire();
          lock.release();
        }
      }),
    },
  };
}

/** Ten tasks want it, and whoever has it keeps it over a turn of the loop. */
function contended(id: string, title: string, permits: number): TimedRow {
  return {
    kind: "timed",
    id,
    title,
    size: 1000,
    python: true,
    targets: targets.filter(({ peer }) => peer !== "async-mutex"),
    notes: {
      ...notes,
      "async-mutex": "ten async functions; a microtask in place of a turn",
    },
    peers: {
      ours: ours(
        ({ createTask, gather, Lock, Semaphore, sleep }) => async (size) => {
          const lock = permits === 0 ? new Lock() : new Semaphore(permits);
          let uses = 0;
          const user = async () => {
            for (let i = size / TASKS; i > 0; i--) {
              await lock.acquire();
              await sleep(0);
              lock.release();
              uses++;
            }
          };
          await gather(
            Array.from({ length: TASKS }, () => createTask(user)),
          );
          check(uses, size);
        },
      ),
      effect: effect(({ Effect, Semaphore }) => (size) =>
        Effect.gen(function* () {
          const semaphore = yield* Semaphore.make(permits || 1);
          const user = Effect.gen(function* () {
            for (let i = size / TASKS; i > 0; i--) {
              yield* semaphore.withPermits(1)(Effect.yieldNow);
            }
          });
          yield* Effect.all(Array.from({ length: TASKS }, () => user), {
            concurrency: "unbounded",
          });
        })
      ),
      "async-mutex": asyncMutex(({ Mutex, Semaphore }) => async (size) => {
        const lock = permits === 0 ? new Mutex() : new Semaphore(permits);
        const user = async () => {
          for (let i = size / TASKS; i > 0; i--) {
            await lock.acquire();
            await Promise.resolve();
            lock.release();
          }
        };
        await Promise.all(Array.from({ length: TASKS }, user));
      }),
    },
  };
}

export const lockFree: TimedRow = free(
  "lock_free",
  "lock, taken and released",
  0,
);

export const lockContended: TimedRow = contended(
  "lock_contended",
  "lock, 10 tasks in turn",
  0,
);

export const semaphoreFree: TimedRow = free(
  "semaphore_free",
  "semaphore, taken and released",
  3,
);

export const semaphoreContended: TimedRow = contended(
  "semaphore_contended",
  "semaphore of 3, 10 tasks in turn",
  3,
);
