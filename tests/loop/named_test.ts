import {
  AsyncValue,
  Barrier,
  BoundedSemaphore,
  Broadcast,
  CapacityLimiter,
  Condition,
  createTask,
  Event,
  LifoQueue,
  Lock,
  openChannel,
  PriorityQueue,
  Queue,
  RateLimiter,
  Semaphore,
} from "@asyncio/asyncio";
import { assertEquals, assertThrows } from "@std/assert";
import { allNamed } from "../../loop/named.ts";
import { collectUntil, hasGc } from "../_support/gc.ts";
import { turns, virtual } from "../_support/virtual.ts";

const options = { name: "x" };
const [send, receive] = openChannel(1, options);
const broadcast = new Broadcast<number>({ capacity: 1, ...options });
const subscription = broadcast.subscribe();
const condition = new Condition(new Lock(), options);

/** What has a name, its text, and a wait on it with what that waits for. */
const CASES: readonly (readonly [
  named: object,
  text: string,
  wait?: (() => PromiseLike<unknown>) | undefined,
  what?: string,
])[] = [
  [
    new Event(options),
    '<Event name="x" unset>',
    () => new Event(options).wait(),
    "Event.wait on x",
  ],
  [new Lock(options), '<Lock name="x" unlocked>', async () => {
    const lock = new Lock(options);
    lock.tryAcquire();
    await lock.acquire();
  }, "Lock.acquire on x (held by waiter)"],
  [condition, '<Condition name="x" unlocked>', async () => {
    await condition.acquire();
    await condition.wait();
  }, "Condition.wait on x"],
  [
    new Semaphore(0, options),
    '<Semaphore name="x" locked>',
    () => new Semaphore(0, options).acquire(),
    "Semaphore.acquire on x",
  ],
  [
    new BoundedSemaphore(1, options),
    '<BoundedSemaphore name="x" value=1 bound=1>',
    () => new BoundedSemaphore(0, options).acquire(),
    "BoundedSemaphore.acquire on x",
  ],
  [
    new Barrier(2, options),
    '<Barrier name="x" filling waiters=0/2>',
    () => new Barrier(2, options).wait(),
    "Barrier.wait on x",
  ],
  [
    new CapacityLimiter(0, options),
    '<CapacityLimiter name="x" borrowed=0 of 0>',
    () => new CapacityLimiter(0, options).acquire(),
    "CapacityLimiter.acquire on x",
  ],
  [
    new RateLimiter(1, 60_000, options),
    '<RateLimiter name="x" 1 per 60000 ms>',
    async () => {
      const limiter = new RateLimiter(1, 60_000, options);
      for (;;) await limiter.acquire();
    },
    "RateLimiter.acquire on x",
  ],
  [
    new AsyncValue(1, options),
    '<AsyncValue name="x" 1>',
    () => new AsyncValue(1, options).waitFor(() => false),
    "AsyncValue.waitFor on x",
  ],
  [
    new Queue(options),
    '<Queue name="x" size=0>',
    () => new Queue(options).get(),
    "Queue.get on x",
  ],
  [
    new PriorityQueue<number>(options),
    '<PriorityQueue name="x" size=0>',
    async () => {
      const queue = new PriorityQueue<number>({ maxSize: 1, ...options });
      for (;;) await queue.put(1);
    },
    "Queue.put on x",
  ],
  [
    new LifoQueue<number>(options),
    '<LifoQueue name="x" size=0>',
    async () => {
      const queue = new LifoQueue<number>(options);
      queue.putNowait(1);
      await queue.join();
    },
    "Queue.join on x",
  ],
  [send, '<SendChannel name="x" size=0 maxSize=1>', async () => {
    const [full] = openChannel(0, options);
    await full.send(1);
  }, "SendChannel.send on x"],
  [
    receive,
    '<ReceiveChannel name="x" size=0 maxSize=1>',
    () => receive.receive(),
    "ReceiveChannel.receive on x",
  ],
  [
    broadcast,
    '<Broadcast name="x" subscribers=1>',
    async () => {
      const full = new Broadcast<number>({ capacity: 1, ...options });
      full.subscribe();
      for (;;) await full.publish(1);
    },
    "Broadcast.publish on x",
  ],
  [
    subscription,
    '<Subscription name="x" size=0>',
    () => subscription.receive(),
    "Subscription.receive on x",
  ],
];

for (const [named, text, wait, what] of CASES) {
  const kind = text.slice(1, text.indexOf(" "));
  Deno.test(`a ${kind} shows its name, and so does a wait for it`, () => {
    assertEquals(String(named), text);
    return virtual(async () => {
      const task = createTask(async () => void await wait?.(), {
        name: "waiter",
      });
      await turns(5);
      assertEquals(
        task.toString(),
        `<Task pending name="waiter" waiting for ${what}>`,
      );
      task.cancel();
      await task.catch(() => {});
    })();
  });
}

Deno.test("what has no name shows none, and a name may be no text at all", () => {
  assertEquals(String(new Lock({})), "<Lock unlocked>");
  assertEquals(String(new Lock({ name: undefined })), "<Lock unlocked>");
  assertEquals(String(new Lock({ name: null as never })), "<Lock unlocked>");
  assertEquals(
    String(new Lock({ name: 7 as never })),
    '<Lock name="7" unlocked>',
  );
});

Deno.test("a name cannot forge a line, nor steer a terminal", () => {
  const lock = new Lock({ name: "a\n\x1b[2J" });
  assertEquals(String(lock), String.raw`<Lock name="a\n\u001b[2J" unlocked>`);
});

Deno.test("a bare name is refused, with what to write", () => {
  assertThrows(
    () => new Lock("db" as never),
    TypeError,
    `Cannot create a lock as 'options' must be an object: received "db"; write { name: "db" }`,
  );
  assertThrows(
    () => openChannel(1, { nmae: "x" } as never),
    TypeError,
    `Cannot open a channel as there is no such option: received "nmae"; the only one is 'name'`,
  );
});

Deno.test({
  name: "a name does not keep what has it",
  ignore: !hasGc,
  fn: async () => {
    const names = () => [...allNamed()].map(String);
    (() => new Lock({ name: "garbage" }))();
    await collectUntil(() => !names().some((each) => each.includes("garbage")));
  },
});
