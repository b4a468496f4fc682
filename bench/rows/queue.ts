import { bare, check, effect, effection, ours, pQueue } from "../sides.ts";
import { atLeast } from "../targets.ts";
import type { Load, TimedRow, Work } from "../types.ts";

/** A producer task puts every item, a consumer task gets every item, through a queue without bound. */
export const queueUnbounded: TimedRow = {
  kind: "timed",
  id: "queue_unbounded",
  title: "queue item, unbounded",
  size: 1000,
  python: true,
  targets: atLeast({ uvloop: 5, effection: 1, effect: 1 }),
  notes: {
    effection: "createQueue: add() is synchronous, next() is awaited",
    effect: "Queue.unbounded, offer and take in two fibers",
  },
  peers: {
    ours: oursWith({}, 1),
    effection: effection(({ createQueue, spawn }) =>
      function* (size) {
        const queue = createQueue<number, void>();
        const producer = yield* spawn(function* () {
          for (let i = 0; i < size; i++) queue.add(i);
        });
        const consumer = yield* spawn(function* () {
          let sum = 0;
          for (let i = 0; i < size; i++) {
            const item = yield* queue.next();
            if (!item.done) sum += item.value;
          }
          return sum;
        });
        yield* producer;
        check(yield* consumer, sumBelow(size));
      }
    ),
    effect: effectWith(undefined, 1),
  },
};

/** The same through a queue of ten places: the producer waits for the consumer and the other way round. */
export const queueBounded: TimedRow = {
  kind: "timed",
  id: "queue_bounded",
  title: "queue item, bounded to 10",
  size: 1000,
  python: true,
  targets: atLeast({ uvloop: 5, effect: 1 }),
  notes: {
    effect: "Queue.bounded(10), offer and take in two fibers",
    effection: "left out: it has no bounded queue",
  },
  peers: {
    ours: oursWith({ maxSize: 10 }, 1),
    effect: effectWith(10, 1),
  },
};

/** Ten producers and ten consumers at a queue of ten places. */
export const queueMany: TimedRow = {
  kind: "timed",
  id: "queue_many",
  title: "queue item, bounded to 10, 10 producers and 10 consumers",
  size: 1000,
  python: true,
  targets: atLeast({ uvloop: 1, effect: 1 }),
  notes: { effect: "Queue.bounded(10), twenty fibers" },
  peers: {
    ours: oursWith({ maxSize: 10 }, 10),
    effect: effectWith(10, 10),
  },
};

/** `size` numbers in no order, the same for all. */
function priorities(size: number): number[] {
  return Array.from({ length: size }, (_, i) => (i * 7919) % size);
}

/** A thousand items in no order go in, and come out in order. */
export const queuePriority: TimedRow = {
  kind: "timed",
  id: "queue_priority",
  title: "priority queue item",
  size: 1000,
  python: true,
  targets: atLeast({ uvloop: 1, "p-queue": 1 }),
  notes: {
    "p-queue": "jobs with a priority, one at a time: its queue holds functions",
  },
  peers: {
    ours: ours(({ PriorityQueue }) => async (size) => {
      const queue = new PriorityQueue<number>();
      for (const item of priorities(size)) await queue.put(item);
      for (let i = 0; i < size; i++) check(await queue.get(), i);
    }),
    "p-queue": pQueue((PQueue) => async (size) => {
      const queue = new PQueue({ concurrency: 1, autoStart: false });
      let next = 0;
      for (const item of priorities(size)) {
        // The smallest item first, the highest priority first.
        queue.add(async () => check(item, next++), { priority: -item });
      }
      queue.start();
      await queue.onIdle();
      check(next, size);
    }),
  },
};

/** A thousand jobs, ten at a time. */
export const jobs: TimedRow = {
  kind: "timed",
  id: "jobs",
  title: "jobs, 10 at a time, each",
  size: 1000,
  python: true,
  targets: atLeast({ uvloop: 1, "p-queue": 1, effect: 1 }),
  notes: {
    ours: "a queue and ten worker tasks",
    bare: "ten async functions that share an iterator",
    "p-queue": "concurrency: 10",
    effect: "Effect.forEach with a concurrency of 10",
  },
  peers: {
    ours: ours(({ createTask, gather, Queue, sleep }) => async (size) => {
      const queue = new Queue<number>();
      for (let i = 0; i < size; i++) queue.putNowait(i);
      let sum = 0;
      const worker = async () => {
        while (!queue.empty()) {
          const item = await queue.get();
          await sleep(0);
          sum += item;
        }
      };
      await gather(Array.from({ length: 10 }, () => createTask(worker)));
      check(sum, sumBelow(size));
    }),
    bare: bare(async (size) => {
      const items = Array.from({ length: size }, (_, i) => i).values();
      let sum = 0;
      const worker = async () => {
        for (const item of items) {
          await Promise.resolve();
          sum += item;
        }
      };
      await Promise.all(Array.from({ length: 10 }, worker));
      check(sum, sumBelow(size));
    }),
    "p-queue": pQueue((PQueue) => async (size) => {
      const queue = new PQueue({ concurrency: 10 });
      let sum = 0;
      for (let i = 0; i < size; i++) {
        queue.add(async () => {
          await Promise.resolve();
          sum += i;
        });
      }
      await queue.onIdle();
      check(sum, sumBelow(size));
    }),
    effect: effect(({ Effect }) => (size) =>
      Effect.gen(function* () {
        let sum = 0;
        yield* Effect.forEach(
          Array.from({ length: size }, (_, i) => i),
          (item) =>
            Effect.gen(function* () {
              yield* Effect.yieldNow;
              sum += item;
            }),
          { concurrency: 10, discard: true },
        );
        check(sum, sumBelow(size));
      })
    ),
  },
};

/** `pairs` producers and as many consumers. */
function oursWith(options: { maxSize?: number }, pairs: number): Load<Work> {
  return ours(({ createTask, Queue }) => async (size) => {
    const queue = new Queue<number>(options);
    const producers = Array.from(
      { length: pairs },
      (_, first) =>
        createTask(async () => {
          for (let i = first; i < size; i += pairs) await queue.put(i);
        }),
    );
    const consumers = Array.from(
      { length: pairs },
      () =>
        createTask(async () => {
          let sum = 0;
          for (let i = size / pairs; i > 0; i--) sum += await queue.get();
          return sum;
        }),
    );
    let sum = 0;
    for (const producer of producers) await producer;
    for (const consumer of consumers) sum += await consumer;
    check(sum, sumBelow(size));
  });
}

function effectWith(capacity: number | undefined, pairs: number): Load<Work> {
  return effect(({ Effect, Fiber, Queue }) => (size) =>
    Effect.gen(function* () {
      const queue = yield* capacity === undefined
        ? Queue.unbounded<number>()
        : Queue.bounded<number>(capacity);
      const producers = [];
      for (let first = 0; first < pairs; first++) {
        producers.push(
          yield* Effect.forkChild(Effect.gen(function* () {
            for (let i = first; i < size; i += pairs) {
              yield* Queue.offer(queue, i);
            }
          })),
        );
      }
      const consumers = [];
      for (let each = pairs; each > 0; each--) {
        consumers.push(
          yield* Effect.forkChild(Effect.gen(function* () {
            let sum = 0;
            for (let i = size / pairs; i > 0; i--) {
              sum += yield* Queue.take(queue);
            }
            return sum;
          })),
        );
      }
      let sum = 0;
      for (const producer of producers) yield* Fiber.join(producer);
      for (const consumer of consumers) sum += yield* Fiber.join(consumer);
      check(sum, sumBelow(size));
    })
  );
}

function sumBelow(size: number): number {
  return size * (size - 1) / 2;
}
