import {
  BrokenBarrierError,
  CancelledError,
  createTask,
  InvalidStateError,
  run,
  sleep,
} from "@asyncio/asyncio";
import { Barrier } from "@asyncio/asyncio/sync";
import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { outcomes, shown } from "../_support/outcome.ts";
import { turns, virtual } from "../_support/virtual.ts";

function arrive(barrier: Barrier, count: number) {
  return Array.from({ length: count }, () => createTask(() => barrier.wait()));
}

Deno.test(
  "L15 wait() gives each task of a round an index of its own",
  virtual(async () => {
    const barrier = new Barrier(4);
    assertEquals(await outcomes(arrive(barrier, 4)), [0, 1, 2, 3]);
    assertEquals(await outcomes(arrive(barrier, 4)), [0, 1, 2, 3]);
    assertEquals(barrier.nWaiting, 0);
  }),
);

Deno.test(
  "L15 tasks go through several rounds side by side",
  virtual(async () => {
    const barrier = new Barrier(3);
    const rounds: number[][] = [[], [], []];
    const tasks = Array.from({ length: 3 }, () =>
      createTask(async () => {
        for (const round of rounds) round.push(await barrier.wait());
      }));
    await outcomes(tasks);
    assertEquals(rounds.map((round) => round.toSorted()), [
      [0, 1, 2],
      [0, 1, 2],
      [0, 1, 2],
    ]);
  }),
);

Deno.test(
  // All leave in one step, so there is no draining to be seen: who comes while
  // the others have not yet gone on is the first of the next round.
  "L15 a task that arrives while the others leave waits for the next round",
  virtual(async () => {
    const barrier = new Barrier(2);
    const [first] = arrive(barrier, 1);
    await turns(1);
    const second = barrier.wait();
    assertFalse(first!.done());
    const [late] = arrive(barrier, 1);
    assertEquals([await first, await second], [0, 1]);
    await turns(2);
    assertFalse(late!.done());
    assertEquals(barrier.nWaiting, 1);
    assertEquals([await barrier.wait(), await late], [1, 0]);
  }),
);

Deno.test(
  "L16 abort() breaks the tasks that wait and those that come, until reset()",
  virtual(async () => {
    const barrier = new Barrier(3);
    const tasks = arrive(barrier, 2);
    await turns(1);
    barrier.abort();
    assert(barrier.broken);
    tasks.push(...arrive(barrier, 3));
    assertEquals(
      new Set(await outcomes(tasks)),
      new Set(["BrokenBarrierError"]),
    );
    await assertRejects(() => barrier.wait(), BrokenBarrierError, "is broken");
    barrier.reset();
    assertFalse(barrier.broken);
    assertEquals(await outcomes(arrive(barrier, 3)), [0, 1, 2]);
  }),
);

Deno.test(
  "L16 reset() breaks the tasks that wait, and only them",
  virtual(async () => {
    const barrier = new Barrier(2);
    const [waiter] = arrive(barrier, 1);
    await turns(1);
    barrier.reset();
    assertFalse(barrier.broken);
    const error = await assertRejects(() => waiter!, BrokenBarrierError);
    assert(error.message.includes("was reset"));
    assertEquals(await outcomes(arrive(barrier, 2)), [0, 1]);
  }),
);

Deno.test(
  // In asyncio, tasks that did not yet leave get the error as well.
  "L16 abort() leaves those alone that were let go on before",
  virtual(async () => {
    const barrier = new Barrier(2);
    const tasks = arrive(barrier, 2);
    await turns(1);
    barrier.abort();
    assertEquals(await outcomes(tasks), [0, 1]);
  }),
);

Deno.test(
  // asyncio lets indices repeat here, such as [1, 1, 2].
  "L17 a cancelled waiter gives its place back, and indices stay unique",
  virtual(async () => {
    for (let cancelled = 0; cancelled < 3; cancelled++) {
      const barrier = new Barrier(4);
      const tasks = arrive(barrier, 3);
      await turns(1);
      tasks[cancelled]!.cancel();
      assertEquals(barrier.nWaiting, 2);
      assertFalse(barrier.broken);
      tasks.push(...arrive(barrier, 2));
      const ends = await outcomes(tasks);
      assertEquals(ends[cancelled], "CancelledError");
      ends.splice(cancelled, 1);
      assertEquals(ends, [0, 1, 2, 3]);
    }
  }),
);

Deno.test(
  "L17 one that is let go on and cancelled in one step is cancelled alone",
  virtual(async () => {
    const barrier = new Barrier(3);
    const tasks = arrive(barrier, 2);
    await turns(1);
    const last = barrier.wait();
    tasks[0]!.cancel();
    assertEquals(await outcomes(tasks), ["CancelledError", 1]);
    assertEquals(await last, 2);
    assertEquals(await outcomes(arrive(barrier, 3)), [0, 1, 2]);
  }),
);

Deno.test(
  "C17 wait() rejects a remembered cancellation, and does not count as arrived",
  virtual(async () => {
    const barrier = new Barrier(1);
    const task = createTask(async () => {
      task.cancel();
      await barrier.wait();
    });
    await assertRejects(() => task, CancelledError);
    assertEquals(await barrier.wait(), 0);
  }),
);

Deno.test("L18 wait() in a second loop rejects when it must wait", async () => {
  const barrier = new Barrier(2);
  await run(() => outcomes(arrive(barrier, 2)));
  await run(async () => {
    await sleep(0);
    await assertRejects(() => barrier.wait(), InvalidStateError);
    assertEquals(barrier.nWaiting, 0);
  });
});

Deno.test("new Barrier() throws where there are no parties", () => {
  for (const parties of [0, -1, 1.5, NaN, Infinity]) {
    assertThrows(
      () => new Barrier(parties),
      RangeError,
      `Cannot create a barrier as 'parties' must be an integer of at least 1: received ${parties}`,
    );
  }
  assertThrows(() => new Barrier(undefined as never), TypeError);
});

Deno.test(
  "a barrier shows its state",
  virtual(async () => {
    const barrier = new Barrier(3);
    const tasks = arrive(barrier, 1);
    await turns(1);
    assertEquals(barrier.parties, 3);
    assertEquals(`${barrier}`, "<Barrier filling waiters=1/3>");
    assertEquals(barrier.statistics(), {
      parties: 3,
      waiters: 1,
      broken: false,
    });
    assert(Object.isFrozen(barrier.statistics()));
    barrier.abort();
    assertEquals(shown(barrier), "<Barrier broken>");
    await outcomes(tasks);
  }),
);
