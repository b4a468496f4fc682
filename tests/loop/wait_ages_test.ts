import {
  createTask,
  Event,
  getRunningLoop,
  newEventLoop,
  run,
  runVirtual,
  sleep,
  VirtualClock,
} from "@asyncio/asyncio";
import { assertEquals } from "@std/assert";
import { waitsBelow } from "../../loop/hooks.ts";
import { kernelOf } from "../../loop/kernel.ts";
import { scopeOf, type Task } from "../../loop/task.ts";
import { noteWaitAges, waitingSince } from "../../loop/wait_ages.ts";

/** When the first wait of a task began. */
function sinceOf(task: Task<unknown>): number | null {
  return waitingSince(waitsBelow(scopeOf(task))[0]!);
}

Deno.test("debug mode tells how long a task waits, from a second on", async () => {
  await runVirtual(async () => {
    const task = createTask(() => new Event().wait(), { name: "waiter" });
    await sleep(999);
    assertEquals(
      task.toString(),
      '<Task pending name="waiter" waiting for Event.wait>',
    );
    await sleep(501);
    assertEquals(
      task.toString(),
      '<Task pending name="waiter" waiting for Event.wait for 1.5 s>',
    );
    assertEquals(task.getStack()[0], "waiting for Event.wait for 1.5 s");
    task.cancel();
  }, { debug: true });
});

Deno.test("without it, and without anyone who asked, nobody notes the time", async () => {
  await runVirtual(async () => {
    const task = createTask(() => new Event().wait(), { name: "waiter" });
    await sleep(5000);
    assertEquals(
      task.toString(),
      '<Task pending name="waiter" waiting for Event.wait>',
    );
    assertEquals(sinceOf(task), null);
    task.cancel();
  }, { debug: false });
});

Deno.test("from when someone asks, older waits count from then on, as long as one asks", async () => {
  const loop = newEventLoop({ clock: new VirtualClock(), debug: false });
  await run(async () => {
    const kernel = kernelOf(getRunningLoop());
    const old = createTask(() => new Event().wait());
    await sleep(100);
    const stop = noteWaitAges(kernel);
    const stopAgain = noteWaitAges(kernel);
    await sleep(50);
    const young = createTask(() => new Event().wait());
    await sleep(50);
    assertEquals([sinceOf(old), sinceOf(young)], [100, 150]);
    stop();
    stop();
    assertEquals(sinceOf(old), 100);
    stopAgain();
    assertEquals(sinceOf(old), null);
    assertEquals(kernel.hooks, null);
    for (const task of [old, young]) task.cancel();
  }, { loop });
});
