import {
  allTasks,
  CancelledError,
  createTask,
  Event,
  gather,
  Lock,
  Queue,
  run,
  sleep,
  type Task,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { hasGc, heapUsed } from "../_support/gc.ts";
import { connectSockets } from "../_support/socket.ts";

const TURNS = 100_000;
/** So many that a single byte a turn shows; Node 20 takes ten times as long for each. */
const MANY_TURNS = "Deno" in globalThis ? 1_000_000 : 200_000;

/**
 * Runs `busy`, which never leaves the loop idle, and checks that a timer of 1 ms
 * and a socket that has something to read got their turn before its end.
 */
async function letsHostThrough(
  busy: () => PromiseLike<unknown>,
): Promise<void> {
  const { client, server, close } = await connectSockets();
  const seen: string[] = [];
  server.on("data", () => seen.push("socket"));
  client.write("x");
  const timer = setTimeout(() => seen.push("timer"), 1);
  await run(async () => {
    await busy();
    seen.push("end");
  });
  clearTimeout(timer);
  await close();
  assertEquals(seen.slice(0, 2).sort(), ["socket", "timer"]);
  assertEquals(seen.slice(2), ["end"]);
}

Deno.test("J16 100,000 sleep(0) let a timer and a socket through", () =>
  letsHostThrough(async () => {
    for (let i = 0; i < TURNS; i++) await sleep(0);
  }));

Deno.test("J16 two tasks that play ping-pong through queues let a timer and a socket through", () =>
  letsHostThrough(() => {
    const [there, back] = [new Queue<number>(), new Queue<number>()];
    const play = (from: Queue<number>, to: Queue<number>) => async () => {
      for (let i = 0; i < TURNS / 2; i++) to.putNowait(await from.get());
    };
    there.putNowait(0);
    return gather([play(there, back), play(back, there)]);
  }));

Deno.test("J16 the consumer of a queue that is never empty lets a timer and a socket through", () =>
  letsHostThrough(async () => {
    const queue = new Queue<number>();
    for (let i = 0; i < TURNS; i++) queue.putNowait(i);
    for (let i = 0; i < TURNS; i++) await queue.get();
  }));

Deno.test("J16 a producer of a queue that is never full lets a timer and a socket through", () =>
  letsHostThrough(async () => {
    const queue = new Queue<number>();
    for (let i = 0; i < TURNS; i++) await queue.put(i);
  }));

Deno.test("J16 a lock that is always free, an event that is set, a task that is done let a timer and a socket through", async () => {
  const lock = new Lock();
  const event = new Event();
  event.set();
  await letsHostThrough(async () => {
    for (let i = 0; i < TURNS; i++) (await lock.acquire())[Symbol.dispose]();
  });
  await letsHostThrough(async () => {
    for (let i = 0; i < TURNS; i++) await event.wait();
  });
  await letsHostThrough(async () => {
    const done = createTask(() => 1, { eagerStart: true });
    for (let i = 0; i < TURNS; i++) await done;
  });
});

Deno.test("J16 tasks that end and are followed by others let a timer and a socket through", () =>
  letsHostThrough(async () => {
    for (let i = 0; i < TURNS; i++) await createTask(() => {});
  }));

Deno.test({
  name: "hundreds of thousands of sleep(0) in one task do not grow the heap",
  ignore: !hasGc,
  fn: () =>
    run(async () => {
      const turns = async (count: number) => {
        for (let i = 0; i < count; i++) await sleep(0);
      };
      await turns(100_000);
      const before = await heapUsed();
      await turns(MANY_TURNS);
      const after = await heapUsed();
      assertLess(after - before, MANY_TURNS);
    }),
});

Deno.test("50,000 tasks sleep at once, are cancelled, and nothing is left", () =>
  run(async () => {
    const tasks: Task[] = [];
    for (let i = 0; i < 50_000; i++) {
      tasks.push(createTask(() => sleep(3_600_000)));
    }
    await sleep(0);
    assertEquals(allTasks().size, 50_001);
    for (const task of tasks) task.cancel();
    await assertRejects(() => gather(tasks), CancelledError);
    await gather(tasks, { returnExceptions: true });
    assert(tasks.every((task) => task.cancelled()));
    assertEquals(allTasks().size, 1);
    // A timer that is left, the sanitizer finds.
  }));

Deno.test("the loop's own timers come in time beside tasks that never rest", () =>
  run(async () => {
    let spinning = true;
    let turns = 0;
    const spinner = createTask(async () => {
      for (; spinning && turns < 10_000_000; turns++) await sleep(0);
    });
    await sleep(1);
    spinning = false;
    await spinner;
    assertLess(turns, 10_000_000);
  }));
