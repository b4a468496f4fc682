import {
  createTask,
  type ExceptionContext,
  getRunningLoop,
  Lock,
  runVirtual,
  sleep,
  taskGroup,
} from "@asyncio/asyncio";
import { assertEquals, assertMatch } from "@std/assert";
import { LIVE_DEADLOCK_MS } from "../../_internal/constants.ts";
import { hostTimers } from "../../platform/timers.ts";
import { collectReports } from "../_support/virtual.ts";

/** Has debug mode look when `look` is called, in place of after a second. */
async function watched(
  body: (
    look: () => void,
    reports: ExceptionContext[],
  ) => PromiseLike<void>,
): Promise<void> {
  const { setBackgroundTimer, clearTimer } = hostTimers;
  const awaited = new Map<unknown, () => void>();
  hostTimers.setBackgroundTimer = (callback, ms) => {
    const timer = setBackgroundTimer(callback, ms);
    if (ms === LIVE_DEADLOCK_MS) awaited.set(timer, callback);
    return timer;
  };
  const look = () => {
    for (const [timer, callback] of [...awaited]) {
      awaited.delete(timer);
      clearTimer(timer);
      callback();
    }
  };
  try {
    await runVirtual(async () => {
      getRunningLoop().slowCallbackDuration = Infinity;
      await body(look, collectReports());
    }, { debug: true });
  } finally {
    hostTimers.setBackgroundTimer = setBackgroundTimer;
  }
}

/** Takes one lock, and then another, which somebody else has by then. */
async function take(first: Lock, second: Lock): Promise<void> {
  using _first = await first.acquire();
  await sleep(1);
  using _second = await second.acquire();
}

/** A report without the frames, which debug mode adds. */
function lines({ message }: ExceptionContext): string[] {
  return message.split("\n").filter((line) => !/^ {4}at /.test(line));
}

Deno.test("debug mode reports a deadlock while other tasks go on, once", async () => {
  await watched(async (look, reports) => {
    const [left, right] = [new Lock({ name: "left" }), new Lock()];
    const group = createTask(() =>
      taskGroup((group) => {
        group.createTask(() => take(left, right), { name: "Kant" });
        group.createTask(() => take(right, left), { name: "Plato" });
      }), { name: "supper" });
    await sleep(2000);
    look();
    assertEquals(reports, []);
    look();
    assertEquals(reports.map(lines), [[
      "Deadlock: tasks wait for each other, while others go on",
      "  Kant: waiting for Lock.acquire (held by Plato) for 1.9 s, awaited by supper",
      "  Plato: waiting for Lock.acquire on left (held by Kant) for 1.9 s, awaited by supper",
    ]]);
    assertMatch(reports[0]!.message, /live_deadlock_test/);
    createTask(() => createTask(() => sleep(1)));
    await sleep(0);
    for (let i = 0; i < 3; i++) look();
    assertEquals(reports.length, 1);
    group.cancel();
    await group.catch(() => {});
  });
});

Deno.test("debug mode reports each deadlock, also one of a single task", async () => {
  await watched(async (look, reports) => {
    for (const name of ["one", "two"]) {
      const lock = new Lock();
      createTask(() => take(lock, lock), { name });
    }
    await sleep(10);
    look();
    look();
    assertEquals(reports.map(lines), [
      [
        "Deadlock: a task waits for itself, while others go on",
        "  one: waiting for Lock.acquire (held by one)",
      ],
      [
        "Deadlock: a task waits for itself, while others go on",
        "  two: waiting for Lock.acquire (held by two)",
      ],
    ]);
  });
});

Deno.test("tasks that somebody helps out in time are not reported", async () => {
  await watched(async (look, reports) => {
    const lock = new Lock();
    const task = createTask(() => take(lock, lock), { name: "helped" });
    await sleep(10);
    look();
    lock.release();
    await task;
    look();
    look();
    assertEquals(reports, []);
  });
});
