import {
  createTask,
  getRunningLoop,
  newEventLoop,
  run,
  sleep,
  type Task,
  VirtualClock,
} from "@asyncio/asyncio";
import { assertEquals } from "@std/assert";
import { inspectOldest, inspectWanted } from "../../loop/inspection.ts";
import { kernelOf } from "../../loop/kernel.ts";
import { noteWaitAges } from "../../loop/wait_ages.ts";
import { turns, virtual } from "../_support/virtual.ts";

Deno.test(
  "of many tasks the oldest are described, and the others counted",
  virtual(async () => {
    const kernel = kernelOf(getRunningLoop());
    const napper = createTask(() => sleep(1000), { name: "napper" });
    createTask(async () => await napper, { name: "waiter" });
    const tasks: Task[] = [];
    for (let i = 0; i < 20_000; i++) tasks.push(createTask(() => sleep(1000)));
    await turns(1);
    const { total, tasks: shown } = inspectOldest(kernel, 3);
    assertEquals(total, 20_003);
    assertEquals(shown.map(({ name }) => name).slice(1), ["napper", "waiter"]);
    // Who is asked for comes with those that wait for it, and no others.
    assertEquals(
      inspectWanted(kernel, "napper").tasks.map(({ name }) => name),
      ["napper", "waiter"],
    );
    const [, { id }] = shown as [unknown, { id: number }];
    assertEquals(inspectWanted(kernel, `#${id}`).tasks[0]!.name, "napper");
    assertEquals(inspectWanted(kernel, "#999999").tasks, []);
    for (const task of tasks) task.cancel();
  }),
);

Deno.test("a wait is known to last since it was seen, or exactly if its beginning was noted", async () => {
  // Debug mode would note the beginning of all waits.
  const loop = newEventLoop({ clock: new VirtualClock(), debug: false });
  await run(async () => {
    const kernel = kernelOf(getRunningLoop());
    createTask(() => sleep(10_000), { name: "napper" });
    const look = () => {
      const [napper] = inspectWanted(kernel, "napper").tasks;
      return [napper!.waitingMs, napper!.isAtLeast];
    };
    await sleep(1000);
    assertEquals(look(), [null, true]);
    await sleep(1500);
    assertEquals(look(), [1500, true]);
    assertEquals(kernel.hooks, null);
    const stop = noteWaitAges(kernel);
    await sleep(500);
    assertEquals(look(), [500, false]);
    stop();
  }, { loop });
});
