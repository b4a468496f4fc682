import {
  asyncMutex,
  bare,
  check,
  effect,
  effection,
  limits,
  ours,
} from "../sides.ts";
import { atLeast } from "../targets.ts";
import type { TimedRow } from "../types.ts";

/** `size` tasks wait for one event, which is set: until the last of them is done. */
export function eventBroadcast(size: number): TimedRow {
  return {
    kind: "timed",
    id: `event_broadcast_${size}`,
    title: `event that ${size.toLocaleString("en")} tasks wait for, each`,
    size,
    ...limits(size, { effection: 10_000, effect: 100_000 }),
    python: true,
    targets: atLeast({ uvloop: 1, effection: 1, effect: 1 }),
    notes: {
      bare: "async functions that await one promise",
      effection: "withResolvers(); 10,000 tasks at most",
      effect: "Latch",
    },
    peers: {
      ours: ours(({ createTask, Event, gather, sleep }) => async (size) => {
        const event = new Event();
        const tasks = Array.from(
          { length: size },
          () => createTask(() => event.wait()),
        );
        await sleep(0);
        event.set();
        check((await gather(tasks)).length, size);
      }),
      bare: bare(async (size) => {
        const event: { set?: () => void } = {};
        const promise = new Promise<void>((resolve) => {
          event.set = resolve;
        });
        const waiter = async () => await promise;
        const waiters = Array.from({ length: size }, waiter);
        await Promise.resolve();
        event.set?.();
        check((await Promise.all(waiters)).length, size);
      }),
      effection: effection(({ spawn, until, withResolvers }) =>
        function* (size) {
          const { operation, resolve } = withResolvers<void>();
          const tasks = [];
          for (let i = size; i > 0; i--) {
            tasks.push(yield* spawn(() => operation));
          }
          yield* until(Promise.resolve());
          resolve();
          for (const task of tasks) yield* task;
        }
      ),
      effect: effect(({ Effect, Fiber, Latch }) => (size) =>
        Effect.gen(function* () {
          const latch = yield* Latch.make();
          const fibers = [];
          for (let i = size; i > 0; i--) {
            fibers.push(yield* Effect.forkChild(latch.await));
          }
          yield* Effect.yieldNow;
          yield* latch.open;
          for (const fiber of fibers) yield* Fiber.join(fiber);
        })
      ),
    },
  };
}

/** `size` tasks wait for one lock, and have it one after the other. */
export function lockWaiters(size: number): TimedRow {
  return {
    kind: "timed",
    id: `lock_waiters_${size}`,
    title: `lock that ${size.toLocaleString("en")} tasks wait for, each`,
    size,
    ...limits(size, { effect: 100_000 }),
    python: true,
    targets: [
      { peer: "uvloop", atLeast: 1 },
      { peer: "effect", atLeast: 1 },
      // It starts no tasks.
      { peer: "async-mutex", atLeast: 0.25 },
    ],
    notes: {
      effect: "Semaphore of 1",
      "async-mutex": "async functions: no tasks, no cancellation",
    },
    peers: {
      ours: ours(({ createTask, gather, Lock, sleep }) => async (size) => {
        const lock = new Lock();
        const user = async () => {
          await lock.acquire();
          lock.release();
        };
        await lock.acquire();
        const tasks = Array.from({ length: size }, () => createTask(user));
        await sleep(0);
        lock.release();
        await gather(tasks);
      }),
      effect: effect(({ Effect, Fiber, Semaphore }) => (size) =>
        Effect.gen(function* () {
          const semaphore = yield* Semaphore.make(1);
          const user = semaphore.withPermits(1)(Effect.void);
          yield* semaphore.take(1);
          const fibers = [];
          for (let i = size; i > 0; i--) {
            fibers.push(yield* Effect.forkChild(user));
          }
          yield* Effect.yieldNow;
          yield* semaphore.release(1);
          for (const fiber of fibers) yield* Fiber.join(fiber);
        })
      ),
      "async-mutex": asyncMutex(({ Mutex }) => async (size) => {
        const lock = new Mutex();
        const user = async () => {
          await lock.acquire();
          lock.release();
        };
        await lock.acquire();
        const users = Array.from({ length: size }, user);
        await Promise.resolve();
        lock.release();
        await Promise.all(users);
      }),
    },
  };
}
