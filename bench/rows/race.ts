import { bare, check, effect, effection, ours } from "../sides.ts";
import { atLeast } from "../targets.ts";
import type { TimedRow } from "../types.ts";

/** Ends by the signal alone, as an operation that takes one does. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), {
      once: true,
    });
  });
}

/** The first of two is there after a switch; the other waits, is called off and waited for. */
export const raceTwo: TimedRow = {
  kind: "timed",
  id: "race_two",
  title: "race of two, the loser is cancelled and awaited",
  size: 100,
  python: true,
  guests: ["anyio"],
  targets: atLeast({ anyio: 1, uvloop: 1, effection: 1, effect: 1 }),
  notes: {
    bare: "Promise.race with an AbortController by hand",
    asyncio: "two tasks, wait FIRST_COMPLETED, cancel, gather",
    uvloop: "two tasks, wait FIRST_COMPLETED, cancel, gather",
    anyio: "a task group that the first end cancels",
    effection: "race() of operations",
    effect: "Effect.raceFirst",
  },
  peers: {
    ours: ours(({ Event, race, sleep }) => async (size) => {
      const never = new Event();
      for (let i = size; i > 0; i--) {
        await race([() => sleep(0), () => never.wait()]);
      }
    }),
    bare: bare(async (size) => {
      for (let i = size; i > 0; i--) {
        const controller = new AbortController();
        const loser = untilAborted(controller.signal);
        await Promise.race([Promise.resolve(), loser]);
        controller.abort();
        await loser.catch(() => {});
      }
    }),
    effection: effection(({ race, suspend, until }) =>
      function* (size) {
        for (let i = size; i > 0; i--) {
          yield* race([until(Promise.resolve()), suspend()]);
        }
      }
    ),
    effect: effect(({ Effect }) => (size) =>
      Effect.gen(function* () {
        for (let i = size; i > 0; i--) {
          yield* Effect.raceFirst(Effect.yieldNow, Effect.never);
        }
      })
    ),
  },
};

/** An item that is there, or a stop that does not come: by name. A fair choice asks the stop first half of the time. */
export const select: TimedRow = {
  kind: "timed",
  id: "select",
  title: "select of a queue and a stop, an item each",
  size: 100,
  python: true,
  guests: ["anyio"],
  targets: atLeast({ anyio: 1, uvloop: 1, effection: 1, effect: 1 }),
  notes: {
    bare: "an array, Promise.race of tagged promises, an AbortController",
    asyncio: "two tasks, wait FIRST_COMPLETED, cancel, gather",
    uvloop: "two tasks, wait FIRST_COMPLETED, cancel, gather",
    anyio: "a task group that the first end cancels, a memory object stream",
    effection: "race() of operations that tag their values, in turn",
    effect: "Effect.raceFirst of Queue.take and Effect.never, in turn",
  },
  peers: {
    ours: ours(({ Event, Queue, select }) => async (size) => {
      const [queue, stop] = [new Queue<number>(), new Event()];
      let sum = 0;
      for (let i = 0; i < size; i++) {
        queue.putNowait(i);
        const next = await select({
          item: () => queue.get(),
          stop: () => stop.wait(),
        });
        if (next.key === "item") sum += next.value;
      }
      check(sum, size * (size - 1) / 2);
    }),
    bare: bare(async (size) => {
      const queue: number[] = [];
      let sum = 0;
      for (let i = 0; i < size; i++) {
        queue.push(i);
        const controller = new AbortController();
        const stop = untilAborted(controller.signal);
        const next = await Promise.race([
          Promise.resolve({ key: "item", value: queue.shift()! }),
          stop.then(() => ({ key: "stop", value: 0 })),
        ]);
        controller.abort();
        await stop.catch(() => {});
        if (next.key === "item") sum += next.value;
      }
      check(sum, size * (size - 1) / 2);
    }),
    effection: effection(({ createQueue, race, suspend }) =>
      function* (size) {
        const queue = createQueue<number, void>();
        const item = function* () {
          const next = yield* queue.next();
          return { key: "item", value: next.done ? 0 : next.value };
        };
        const stop = function* () {
          yield* suspend();
          return { key: "stop", value: 0 };
        };
        let sum = 0;
        for (let i = 0; i < size; i++) {
          queue.add(i);
          const next = yield* race(
            i % 2 === 0 ? [item(), stop()] : [stop(), item()],
          );
          if (next.key === "item") sum += next.value;
        }
        check(sum, size * (size - 1) / 2);
      }
    ),
    effect: effect(({ Effect, Queue }) => (size) =>
      Effect.gen(function* () {
        const queue = yield* Queue.unbounded<number>();
        let sum = 0;
        for (let i = 0; i < size; i++) {
          yield* Queue.offer(queue, i);
          const item = Effect.map(
            Queue.take(queue),
            (value) => ({ key: "item", value }),
          );
          const stop = Effect.map(
            Effect.never,
            () => ({ key: "stop", value: 0 }),
          );
          const next = yield* i % 2 === 0
            ? Effect.raceFirst(item, stop)
            : Effect.raceFirst(stop, item);
          if (next.key === "item") sum += next.value;
        }
        check(sum, size * (size - 1) / 2);
      })
    ),
  },
};
