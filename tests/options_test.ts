import {
  asCompleted,
  createTask,
  gather,
  getEventLoop,
  LifoQueue,
  newEventLoop,
  PriorityQueue,
  Queue,
  run,
  Runner,
  shielded,
  sleep,
  TaskGroup,
  taskGroup,
  timeout,
  wait,
} from "@asyncio/asyncio";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";

const fn = () => {};

/** What Python takes by position, or what JavaScript would ignore. */
const CALLS: readonly [what: string, call: (options: never) => unknown][] = [
  ["create a queue", (options) => new Queue(options)],
  ["create a queue", (options) => new LifoQueue(options)],
  ["create a queue", (options) => new PriorityQueue(options)],
  ["shut down a queue", (options) => new Queue().shutdown(options)],
  ["create an event loop", (options) => newEventLoop(options)],
  ["create a runner", (options) => new Runner(options)],
  ["create a task", (options) => getEventLoop().createTask(fn, options)],
  ["gather", (options) => gather([fn], options)],
  ["wait", (options) => asCompleted([fn], options)],
  ["wait", (options) => wait([fn], options)],
  ["run", (options) => run(fn, options)],
  ["shield a region", (options) => shielded(fn, options)],
  ["open a task group", (options) => taskGroup(fn, options)],
];

const VALUES: readonly [value: unknown, shown: string][] = [
  [10, "10"],
  [true, "true"],
  ["name", '"name"'],
  [null, "null"],
  [fn, "the function fn"],
];

Deno.test("options that are no object are refused and not ignored", async () => {
  for (const [what, call] of CALLS) {
    for (const [value, shown] of VALUES) {
      await assertRejects(
        async () => await call(value as never),
        TypeError,
        `Cannot ${what} as 'options' must be an object: received ${shown}`,
      );
    }
  }
});

Deno.test("a queue whose shutdown was refused goes on", async () => {
  const queue = new Queue<number>();
  assertThrows(() => queue.shutdown(true as never), TypeError);
  await queue.put(1);
  assertEquals(await queue.get(), 1);
});

Deno.test("a promise in place of a function is told what to write", async () => {
  for (
    const call of [
      () => run(sleep(0) as never),
      () => timeout(10, sleep(0) as never),
      () => taskGroup(sleep(0) as never),
      () => createTask(sleep(0) as never),
    ]
  ) {
    const error = await assertRejects(async () => await call(), TypeError);
    assertEquals(
      error.message.match(/received a Promise: (.*) started.*\(\) => work\(\)/)
        ?.[1],
      "a promise has already",
    );
  }
});

Deno.test("a task group cannot be made without its block", () => {
  assertThrows(
    () =>
      new TaskGroup(
        ...([] as never as ConstructorParameters<typeof TaskGroup>),
      ),
    TypeError,
    "call taskGroup((group) => ...)",
  );
});
