import { check, effect, effection, ours } from "../sides.ts";
import { atLeast } from "../targets.ts";
import type { Load, TimedRow, Work } from "../types.ts";

/** A task sends every item through a channel of ten places, and another receives them. */
export const channel: TimedRow = {
  kind: "timed",
  id: "channel",
  title: "channel item, bounded to 10",
  size: 1000,
  python: true,
  guests: ["anyio"],
  targets: atLeast({ anyio: 1, uvloop: 1, effection: 1, effect: 1 }),
  notes: {
    asyncio: "asyncio.Queue(10)",
    anyio: "a memory object stream of 10",
    effection: "createChannel: without bound, next() of a subscription",
    effect: "Queue.bounded(10), offer and take in two fibers",
  },
  peers: {
    ours: oursOf(10),
    effection: effection(({ createChannel, spawn }) =>
      function* (size) {
        const channel = createChannel<number, void>();
        const items = yield* channel;
        const sender = yield* spawn(function* () {
          for (let i = 0; i < size; i++) yield* channel.send(i);
          yield* channel.close();
        });
        let sum = 0;
        let item = yield* items.next();
        for (; !item.done; item = yield* items.next()) sum += item.value;
        yield* sender;
        check(sum, sumBelow(size));
      }
    ),
    effect: effectOf(10),
  },
};

/** The same through a channel that holds nothing: each item goes from hand to hand. */
export const channelHanded: TimedRow = {
  kind: "timed",
  id: "channel_handed",
  title: "channel item, from hand to hand",
  size: 1000,
  python: false,
  targets: atLeast({ effect: 1 }),
  notes: {
    effect: "Queue.bounded(0), offer and take in two fibers",
    effection: "left out: its senders do not wait",
  },
  peers: { ours: oursOf(0), effect: effectOf(0) },
};

const SUBSCRIBERS = 10;

/** Each item goes to ten subscribers; the cost is that of one item for one of them. */
export const broadcast: TimedRow = {
  kind: "timed",
  id: "broadcast",
  title: "broadcast item, for each of 10 subscribers",
  size: 10_000,
  python: false,
  targets: atLeast({ effection: 1, effect: 1 }),
  notes: {
    ours: "Broadcast, a capacity of 10",
    effection: "createChannel, without bound",
    effect: "PubSub.bounded(10)",
  },
  peers: {
    ours: ours(({ Broadcast, createTask }) => async (size) => {
      const items = size / SUBSCRIBERS;
      const hub = new Broadcast<number>({ capacity: 10 });
      const listeners = Array.from({ length: SUBSCRIBERS }, () => {
        const inbox = hub.subscribe();
        return createTask(async () => {
          let sum = 0;
          for (let i = items; i > 0; i--) sum += await inbox.receive();
          return sum;
        });
      });
      for (let i = 0; i < items; i++) await hub.publish(i);
      for (const each of listeners) check(await each, sumBelow(items));
    }),
    effection: effection(({ createChannel, spawn }) =>
      function* (size) {
        const count = size / SUBSCRIBERS;
        const channel = createChannel<number, void>();
        const listeners = [];
        for (let each = SUBSCRIBERS; each > 0; each--) {
          const items = yield* channel;
          listeners.push(
            yield* spawn(function* () {
              let sum = 0;
              let item = yield* items.next();
              for (; !item.done; item = yield* items.next()) sum += item.value;
              return sum;
            }),
          );
        }
        for (let i = 0; i < count; i++) yield* channel.send(i);
        yield* channel.close();
        for (const each of listeners) check(yield* each, sumBelow(count));
      }
    ),
    effect: effect(({ Effect, Fiber, PubSub }) => (size) =>
      Effect.scoped(Effect.gen(function* () {
        const count = size / SUBSCRIBERS;
        const hub = yield* PubSub.bounded<number>(10);
        const listeners = [];
        for (let each = SUBSCRIBERS; each > 0; each--) {
          const inbox = yield* PubSub.subscribe(hub);
          listeners.push(
            yield* Effect.forkChild(Effect.gen(function* () {
              let sum = 0;
              for (let i = count; i > 0; i--) sum += yield* PubSub.take(inbox);
              return sum;
            })),
          );
        }
        for (let i = 0; i < count; i++) yield* PubSub.publish(hub, i);
        for (const each of listeners) {
          check(yield* Fiber.join(each), sumBelow(count));
        }
      }))
    ),
  },
};

function oursOf(maxSize: number): Load<Work> {
  return ours(({ createTask, openChannel }) => async (size) => {
    const [send, receive] = openChannel<number>(maxSize);
    const sender = createTask(async () => {
      for (let i = 0; i < size; i++) await send.send(i);
    });
    const receiver = createTask(async () => {
      let sum = 0;
      for (let i = size; i > 0; i--) sum += await receive.receive();
      return sum;
    });
    await sender;
    check(await receiver, sumBelow(size));
  });
}

function effectOf(capacity: number): Load<Work> {
  return effect(({ Effect, Fiber, Queue }) => (size) =>
    Effect.gen(function* () {
      const queue = yield* Queue.bounded<number>(capacity);
      const sender = yield* Effect.forkChild(Effect.gen(function* () {
        for (let i = 0; i < size; i++) yield* Queue.offer(queue, i);
      }));
      const receiver = yield* Effect.forkChild(Effect.gen(function* () {
        let sum = 0;
        for (let i = size; i > 0; i--) sum += yield* Queue.take(queue);
        return sum;
      }));
      yield* Fiber.join(sender);
      check(yield* Fiber.join(receiver), sumBelow(size));
    })
  );
}

function sumBelow(size: number): number {
  return size * (size - 1) / 2;
}
