import {
  createTask,
  gather,
  getRunningLoop,
  isCancelledError,
  Lock,
  sleep,
  taskGroup,
  type TaskTrace,
  type WaitTrace,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { AsyncLocalStorage } from "node:async_hooks";
import { channel } from "node:diagnostics_channel";
import { kernelOf } from "../../loop/kernel.ts";
import { type Heard, heardOn } from "../_support/traces.ts";
import { collectReports, turns, virtual } from "../_support/virtual.ts";

function tasksHeard(
  body: (heard: readonly Heard<TaskTrace>[]) => PromiseLike<unknown>,
): Promise<readonly Heard<TaskTrace>[]> {
  return heardOn("asyncio:task", body);
}

function waitsHeard(
  body: () => PromiseLike<unknown>,
): Promise<readonly Heard<WaitTrace>[]> {
  return heardOn("asyncio:wait", body);
}

/** The waits of a task, as they began. */
function beginnings(
  heard: readonly Heard<WaitTrace>[],
  name: string,
): WaitTrace[] {
  return heard.filter(({ event, message }) =>
    event === "start" && message.task?.name === name
  ).map(({ message }) => message);
}

Deno.test(
  "asyncio:task tells of a task with one object, from its beginning to its end",
  virtual(async () => {
    const outcomes: string[] = [];
    const heard = await tasksHeard(async (soFar) => {
      const task = createTask(() => sleep(5), { name: "nap" });
      outcomes.push(soFar.at(-1)!.message.outcome);
      await task;
    });
    assertEquals(heard.map(({ event }) => event), [
      "start",
      "end",
      "asyncStart",
      "asyncEnd",
    ]);
    const [{ message }] = heard as [Heard<TaskTrace>];
    for (const each of heard) assertStrictEquals(each.message, message);
    assertEquals(message.task.name, "nap");
    assertEquals([...outcomes, message.outcome], ["pending", "finished"]);
    assert(!("error" in message));
  }),
);

Deno.test(
  "asyncio:task tells with what a task failed, which does not count as looking",
  virtual(async () => {
    const reports = collectReports();
    const heard = await tasksHeard(async () => {
      createTask(() => Promise.reject(new Error("no route")));
      const cancelled = createTask(() => sleep(1000));
      const never = createTask(() => 1);
      never.cancel("too late");
      await turns(2);
      cancelled.cancel();
      await turns(2);
    });
    const errors = heard.filter(({ event }) => event === "error");
    assertEquals(
      errors.map(({ message: { outcome, error } }) =>
        `${outcome}: ${isCancelledError(error)}`
      ),
      ["failed: false", "cancelled: true", "cancelled: true"],
    );
    assertEquals(heard.filter(({ event }) => event === "asyncEnd").length, 3);
    getRunningLoop().stop();
    assertEquals(reports, []);
  }),
);

Deno.test(
  "a store that is bound to the start of tasks is there in what they do, eager or not",
  virtual(async () => {
    const storage = new AsyncLocalStorage<string>();
    const start = channel("tracing:asyncio:task:start");
    start.bindStore(
      storage,
      (message) =>
        `${(message as TaskTrace).task.name} in ${storage.getStore()}`,
    );
    try {
      const seen: (string | undefined)[] = [];
      await createTask(async () => {
        await sleep(1);
        await createTask(() => seen.push(storage.getStore()), {
          name: "inner",
        });
        const eager = { name: "eager", eagerStart: true };
        await createTask(() => seen.push(storage.getStore()), eager);
        seen.push(storage.getStore());
      }, { name: "outer" });
      assertEquals(seen, [
        "inner in outer in undefined",
        "eager in outer in undefined",
        "outer in undefined",
      ]);
      assertEquals(storage.getStore(), undefined);
    } finally {
      start.unbindStore(storage);
    }
  }),
);

Deno.test(
  "asyncio:wait tells what a task waits for, and which tasks that needs",
  virtual(async () => {
    const lock = new Lock({ name: "database" });
    const heard = await waitsHeard(async () => {
      const holder = createTask(() => lock.with(() => sleep(5)), {
        name: "holder",
      });
      await turns(1);
      const second = createTask(() => lock.acquire(), { name: "second" });
      await createTask(() => gather([holder, second]), { name: "gatherer" });
      await createTask(async () => await second, { name: "late" });
      await createTask(() =>
        taskGroup((group) => {
          group.createTask(() => sleep(1), { name: "member" });
        }), { name: "grouper" });
    });
    const needs = (name: string) =>
      beginnings(heard, name).map(({ what, needs }) =>
        `${what} <- ${needs.map((task) => task.name)}`
      );
    assertEquals(needs("holder"), ["sleep(5) <- "]);
    assertEquals(needs("second"), [
      // The tasks are those of now: whoever has the lock.
      "Lock.acquire on database (held by holder) <- second",
    ]);
    assertEquals(needs("late"), []);
    assertEquals(needs("grouper"), ["the tasks of TaskGroup <- "]);
  }),
);

Deno.test(
  "the tasks that a wait needs are known from its beginning",
  virtual(async () => {
    const needed: string[] = [];
    const start = channel("tracing:asyncio:wait:start");
    const hear = (message: unknown) => {
      const { task, needs } = message as WaitTrace;
      if (needs.length > 0) {
        needed.push(`${task?.name}: ${needs.map(({ name }) => name)}`);
      }
    };
    start.subscribe(hear);
    try {
      const lock = new Lock();
      const nap = createTask(() => lock.with(() => sleep(5)), { name: "nap" });
      await createTask(async () => {
        await gather([nap, createTask(() => sleep(1), { name: "other" })]);
      }, { name: "gatherer" });
      await createTask(() =>
        taskGroup((group) => {
          group.createTask(() => lock.with(() => sleep(5)), { name: "first" });
          group.createTask(() => lock.with(() => sleep(5)), { name: "second" });
        }), { name: "grouper" });
    } finally {
      start.unsubscribe(hear);
    }
    assertEquals(needed.filter((line) => !line.startsWith("Task-")), [
      "gatherer: nap,other",
      "grouper: first,second",
      "second: first",
    ]);
  }),
);

Deno.test(
  "asyncio:wait tells whether a wait has failed or was cancelled",
  virtual(async () => {
    const heard = await waitsHeard(async () => {
      const failing = createTask(async () => {
        await sleep(1);
        throw new Error("no route");
      });
      const awaiting = createTask(async () => await failing, {
        name: "awaiting",
      });
      await awaiting.catch(() => {});
      const napping = createTask(() => sleep(1000), { name: "napping" });
      await turns(2);
      napping.cancel();
      await napping.catch(() => {});
    });
    const errors = heard.filter(({ event, message }) =>
      event === "error" && message.task?.name !== "Task-1"
    ).map(({ message: { task, error } }) => `${task?.name}: ${error}`);
    assertEquals(
      errors.filter((line) => /^(awaiting|napping)/.test(line)),
      [
        "awaiting: Error: no route",
        "napping: CancelledError: The task was cancelled",
      ],
    );
    const events = heard.filter(({ message }) =>
      message.task?.name === "napping"
    );
    assertEquals(events.map(({ event }) => event), [
      "start",
      "end",
      "error",
      "asyncStart",
      "asyncEnd",
    ]);
  }),
);

Deno.test(
  "a loop is watched while someone has subscribed, and not before or after",
  virtual(async () => {
    const { hooks } = kernelOf(getRunningLoop());
    assertEquals(hooks, null);
    await createTask(() => 1);
    assertEquals(kernelOf(getRunningLoop()).hooks, null);
    await tasksHeard(async () => {
      // With the first task since then.
      await createTask(() => 1);
      assert(kernelOf(getRunningLoop()).hooks !== null);
    });
    await createTask(() => 1);
    assertEquals(kernelOf(getRunningLoop()).hooks, null);
    const heard = await tasksHeard(() => createTask(() => 1));
    assertEquals(heard.length, 4);
  }),
);
