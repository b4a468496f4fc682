import { bare, effect, effection, ours } from "../sides.ts";
import { atLeast } from "../targets.ts";
import type { Target, TimedRow } from "../types.ts";

const ahead: readonly Target[] = [
  { peer: "effection", atLeast: 1 },
  { peer: "effect", atLeast: 1 },
];

/** One task after the other: create it, await it. */
export const startTask: TimedRow = {
  kind: "timed",
  id: "start_task",
  title: "start a task and await it",
  size: 100,
  python: true,
  targets: [{ peer: "uvloop", atLeast: 3 }, ...ahead],
  notes: {
    bare: "calls an async function: no task, no cancellation",
    effection: "spawn, then yield* the task",
    effect: "forkChild of Effect.void, then Fiber.join",
  },
  peers: {
    ours: ours(({ createTask }) => async (size) => {
      for (let i = size; i > 0; i--) await createTask(async () => {});
    }),
    bare: bare(async (size) => {
      const child = async () => {};
      for (let i = size; i > 0; i--) await child();
    }),
    effection: effection(({ spawn }) =>
      function* (size) {
        for (let i = size; i > 0; i--) yield* yield* spawn(function* () {});
      }
    ),
    effect: effect(({ Effect, Fiber }) => (size) =>
      Effect.gen(function* () {
        for (let i = size; i > 0; i--) {
          yield* Fiber.join(yield* Effect.forkChild(Effect.void));
        }
      })
    ),
  },
};

/** The same, the first step within the call that starts it. */
export const startEager: TimedRow = {
  kind: "timed",
  id: "start_eager",
  title: "start a task eagerly and await it",
  size: 100,
  python: true,
  targets: atLeast({ uvloop: 1, effect: 1 }),
  notes: {
    effection: "left out: a spawned task never starts within the call",
    effect: "forkChild with startImmediately",
  },
  peers: {
    ours: ours(({ createTask }) => async (size) => {
      const options = { eagerStart: true };
      for (let i = size; i > 0; i--) await createTask(async () => {}, options);
    }),
    effect: effect(({ Effect, Fiber }) => (size) =>
      Effect.gen(function* () {
        const options = { startImmediately: true };
        for (let i = size; i > 0; i--) {
          yield* Fiber.join(yield* Effect.forkChild(Effect.void, options));
        }
      })
    ),
  },
};

/** What there is to wait for is there already. */
export const awaitDone: TimedRow = {
  kind: "timed",
  id: "await_done",
  title: "await a task that is done",
  size: 1000,
  python: true,
  targets: [{ peer: "bare", atMost: 5 }, ...ahead],
  notes: {
    bare: "await of a promise that is resolved",
    asyncio: "gives the result without a turn: nothing is suspended",
    uvloop: "gives the result without a turn: nothing is suspended",
    effect: "Fiber.join: gives the result without a turn",
  },
  peers: {
    ours: ours(({ createTask }) => async (size) => {
      const task = createTask(async () => 1);
      let sum = 0;
      for (let i = size; i > 0; i--) sum += await task;
      return sum;
    }),
    bare: bare(async (size) => {
      const promise = Promise.resolve(1);
      let sum = 0;
      for (let i = size; i > 0; i--) sum += await promise;
      return sum;
    }),
    effection: effection(({ spawn }) =>
      function* (size) {
        const task = yield* spawn(function* () {
          return 1;
        });
        let sum = 0;
        for (let i = size; i > 0; i--) sum += yield* task;
        return sum;
      }
    ),
    effect: effect(({ Effect, Fiber }) => (size) =>
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(Effect.succeed(1));
        let sum = 0;
        for (let i = size; i > 0; i--) sum += yield* Fiber.join(fiber);
        return sum;
      })
    ),
  },
};
