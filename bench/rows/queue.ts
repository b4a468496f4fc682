import type { Load, TimedRow, Work } from "../types.ts";

/** A producer task puts every item, a consumer task gets every item, through a queue without bound. */
export const queueUnbounded: TimedRow = {
  kind: "timed",
  id: "queue_unbounded",
  title: "queue item, unbounded",
  size: 1000,
  python: true,
  targets: [
    { peer: "uvloop", atLeast: 5 },
    { peer: "effection", atLeast: 1 },
    { peer: "effect", atLeast: 1 },
  ],
  notes: {
    effection: "createQueue: add() is synchronous, next() is awaited",
    effect: "Queue.unbounded, offer and take in two fibers",
  },
  peers: {
    ours: ours({}),
    async effection() {
      const { createQueue, run, spawn } = await import("effection");
      return (rounds, size) =>
        run(function* () {
          for (let round = rounds; round > 0; round--) {
            const queue = createQueue();
            const producer = yield* spawn(function* () {
              for (let i = 0; i < size; i++) queue.add(i);
            });
            const consumer = yield* spawn(function* () {
              let sum = 0;
              for (let i = 0; i < size; i++) {
                const item = yield* queue.next();
                if (!item.done) sum += item.value as number;
              }
              return sum;
            });
            yield* producer;
            check(yield* consumer, size);
          }
        });
    },
    effect: effect(),
  },
};

/** The same through a queue of ten places: the producer waits for the consumer and the other way round. */
export const queueBounded: TimedRow = {
  kind: "timed",
  id: "queue_bounded",
  title: "queue item, bounded to 10",
  size: 1000,
  python: true,
  targets: [
    { peer: "uvloop", atLeast: 5 },
    { peer: "effect", atLeast: 1 },
  ],
  notes: {
    effect: "Queue.bounded(10), offer and take in two fibers",
    effection: "left out: it has no bounded queue",
  },
  peers: {
    ours: ours({ maxSize: 10 }),
    effect: effect(10),
  },
};

function ours(options: { maxSize?: number }): Load<Work> {
  return async () => {
    const { createTask, Queue, run } = await import("@asyncio/asyncio");
    return (rounds, size) =>
      run(async () => {
        for (let round = rounds; round > 0; round--) {
          const queue = new Queue<number>(options);
          const producer = createTask(async () => {
            for (let i = 0; i < size; i++) await queue.put(i);
          });
          const consumer = createTask(async () => {
            let sum = 0;
            for (let i = 0; i < size; i++) sum += await queue.get();
            return sum;
          });
          await producer;
          check(await consumer, size);
        }
      });
  };
}

function effect(capacity?: number): Load<Work> {
  return async () => {
    const { Effect, Fiber, Queue } = await import("effect");
    return (rounds, size) =>
      Effect.runPromise(Effect.gen(function* () {
        for (let round = rounds; round > 0; round--) {
          const queue = yield* capacity === undefined
            ? Queue.unbounded()
            : Queue.bounded(capacity);
          const producer = yield* Effect.forkChild(Effect.gen(function* () {
            for (let i = 0; i < size; i++) yield* Queue.offer(queue, i);
          }));
          const consumer = yield* Effect.forkChild(Effect.gen(function* () {
            let sum = 0;
            for (let i = 0; i < size; i++) {
              sum += (yield* Queue.take(queue)) as number;
            }
            return sum;
          }));
          yield* Fiber.join(producer);
          check(yield* Fiber.join(consumer), size);
        }
      }));
  };
}

function check(sum: number, size: number): void {
  const expected = size * (size - 1) / 2;
  if (sum !== expected) {
    throw new Error(`The items sum up to ${sum} instead of ${expected}`);
  }
}
