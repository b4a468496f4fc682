/** "Again: yes" in docs/cancellation.md: a cancelled wait has lost nothing. */
import {
  CancelledError,
  createTask,
  currentTask,
  isCancelledError,
  run,
  sleep,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  LOCAL_WAITS,
  type Repeatable,
  SYSTEM_WAITS,
} from "./_support/repeatable_waits.ts";
import { virtual } from "./_support/virtual.ts";

/** The call once more, after one that was cancelled. */
async function again(
  { call, let: bringAbout, gives }: Repeatable,
  isThere: boolean,
): Promise<void> {
  const task = createTask(async () => await call());
  if (!isThere) {
    await sleep(0);
    await bringAbout?.();
  }
  assertEquals(await task, gives);
}

/** Cancelled before anything has come. */
async function whileItWaits(each: Repeatable): Promise<void> {
  const task = createTask(async () => await each.call());
  await sleep(0);
  assert(task.cancel());
  await assertRejects(async () => await task, CancelledError);
  await again(each, false);
}

/** Cancelled as what it waits for is on its way. */
async function onItsWay(each: Repeatable): Promise<void> {
  const task = createTask(async () => await each.call());
  await sleep(0);
  const letting = createTask(async () => await each.let?.(), {
    eagerStart: true,
  });
  task.cancel();
  await letting;
  try {
    assertEquals(await task, each.gives);
  } catch (error) {
    if (!isCancelledError(error)) throw error;
    await again(each, each.isPassing !== true);
  }
}

/** Called with a cancellation remembered, where it could succeed at once. */
async function remembered(each: Repeatable): Promise<void> {
  if (each.isPassing !== true) await each.let?.();
  const task = createTask(async () => {
    currentTask()!.cancel();
    await each.call();
  });
  await assertRejects(async () => await task, CancelledError);
  await again(each, each.isPassing !== true);
}

const WAYS = { whileItWaits, onItsWay, remembered };

for (const [name, make] of Object.entries(LOCAL_WAITS)) {
  Deno.test(
    `${name} may be called again after it was cancelled`,
    virtual(async () => {
      for (const way of Object.values(WAYS)) {
        // deno-lint-ignore no-await-in-loop -- one after the other
        const each = await make();
        // deno-lint-ignore no-await-in-loop -- one after the other
        await way(each);
        each.end?.();
        await sleep(0);
      }
    }),
  );
}

for (const [name, make] of Object.entries(SYSTEM_WAITS)) {
  Deno.test(`${name} may be called again after it was cancelled`, async () => {
    for (const way of [whileItWaits, remembered]) {
      // deno-lint-ignore no-await-in-loop -- one after the other
      await run(async () => {
        const each = await make();
        await way(each);
        await each.end?.();
      });
    }
  });
}
