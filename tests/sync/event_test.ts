import {
  CancelledError,
  createTask,
  InvalidStateError,
  run,
  sleep,
} from "@asyncio/asyncio";
import { Event } from "@asyncio/asyncio/sync";
import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { outcomes, shown } from "../_support/outcome.ts";
import { turns, virtual } from "../_support/virtual.ts";

Deno.test(
  "wait() resolves to true once the event is set, in order of arrival",
  virtual(async () => {
    const event = new Event();
    const log: number[] = [];
    const tasks = [1, 2, 3].map((number) =>
      createTask(async () => {
        const result = await event.wait();
        log.push(number);
        return result;
      })
    );
    await turns(1);
    assertEquals(log, []);
    event.set();
    assertEquals(await outcomes(tasks), [true, true, true]);
    assertEquals(log, [1, 2, 3]);
    assert(event.isSet());
  }),
);

Deno.test(
  "L5 set() followed at once by clear() releases every waiter",
  virtual(async () => {
    const event = new Event();
    const tasks = [1, 2, 3].map(() => createTask(() => event.wait()));
    await turns(1);
    event.set();
    event.clear();
    const late = createTask(() => event.wait());
    assertEquals(await outcomes(tasks), [true, true, true]);
    await turns(2);
    assertFalse(event.isSet() || late.done());
    event.set();
    assert(await late);
  }),
);

Deno.test(
  "L6 wait() on a set event gives the loop no turn",
  virtual(async () => {
    const event = new Event();
    event.set();
    const log: string[] = [];
    await sleep(0);
    const promise = event.wait().then(() => log.push("wait()"));
    Promise.resolve().then(() => log.push("a microtask"));
    createTask(() => log.push("another task"));
    await promise;
    await turns(2);
    assertEquals(log, ["wait()", "a microtask", "another task"]);
  }),
);

Deno.test(
  "C16 a waiter that is woken and cancelled in one step is cancelled",
  virtual(async () => {
    const event = new Event();
    const tasks = [1, 2].map(() => createTask(() => event.wait()));
    await turns(1);
    event.set();
    tasks[0]!.cancel();
    assertEquals(await outcomes(tasks), ["CancelledError", true]);
  }),
);

Deno.test(
  "C17 wait() rejects a remembered cancellation also when it is set",
  virtual(async () => {
    const event = new Event();
    event.set();
    const task = createTask(async () => {
      task.cancel();
      await event.wait();
    });
    await assertRejects(() => task, CancelledError);
  }),
);

Deno.test(
  "a cancelled waiter is off the list",
  virtual(async () => {
    const event = new Event();
    const task = createTask(() => event.wait());
    await turns(1);
    assertEquals(event.statistics(), { isSet: false, waiters: 1 });
    task.cancel();
    assertEquals(event.statistics(), { isSet: false, waiters: 0 });
    await assertRejects(() => task, CancelledError);
  }),
);

Deno.test("L18 wait() in a second loop rejects when it must wait", async () => {
  const event = new Event();
  await run(async () => {
    const task = createTask(() => event.wait());
    await sleep(0);
    event.set();
    await task;
  });
  await run(async () => {
    assert(await event.wait());
    event.clear();
    await assertRejects(() => event.wait(), InvalidStateError, "Event.wait");
  });
});

Deno.test(
  "set() and clear() twice do what they do once",
  virtual(async () => {
    const event = new Event();
    event.set();
    event.set();
    assert(await event.wait());
    event.clear();
    event.clear();
    assertFalse(event.isSet());
  }),
);

Deno.test(
  "an event shows its state",
  virtual(async () => {
    const event = new Event();
    assertEquals(`${event}`, "<Event unset>");
    const task = createTask(() => event.wait());
    await turns(1);
    assertEquals(`${event}`, "<Event unset waiters=1>");
    assert(Object.isFrozen(event.statistics()));
    event.set();
    assertEquals(shown(event), "<Event set>");
    assertEquals(Object.prototype.toString.call(event), "[object Event]");
    await task;
  }),
);
