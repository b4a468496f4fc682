import {
  createTask,
  currentDeadline,
  gather,
  moveOnAfter,
  pooledMap,
  shielded,
  sleep,
  taskGroup,
  timeout,
  timeoutAt,
} from "@asyncio/asyncio";
import { assertEquals } from "@std/assert";
import { now, virtual } from "../_support/virtual.ts";

Deno.test(
  "currentDeadline() is the earliest of the deadlines around",
  virtual(async () => {
    assertEquals(currentDeadline(), null);
    await sleep(10);
    await timeout(100, async () => {
      assertEquals(currentDeadline(), 110);
      await moveOnAfter(500, async () => {
        assertEquals(currentDeadline(), 110);
        await timeoutAt(50, () => assertEquals(currentDeadline(), 50));
        assertEquals(currentDeadline(), 110);
      });
      await timeout(null, () => assertEquals(currentDeadline(), 110));
    });
    assertEquals(currentDeadline(), null);
  }),
);

Deno.test(
  "currentDeadline() follows a deadline that is moved, and forgets one that has struck",
  virtual(async () => {
    await moveOnAfter(100, async (deadline) => {
      deadline.reschedule(30);
      assertEquals(currentDeadline(), 30);
      try {
        await sleep(1000);
      } finally {
        assertEquals([now(), currentDeadline()], [30, null]);
        await timeout(5, () => assertEquals(currentDeadline(), 35));
      }
    });
  }),
);

Deno.test(
  "currentDeadline() is that of the branch, and not of one beside it",
  virtual(async () => {
    await Promise.all([
      timeout(
        10,
        () => sleep(1).then(() => assertEquals(currentDeadline(), 10)),
      ),
      timeout(
        20,
        () => sleep(1).then(() => assertEquals(currentDeadline(), 20)),
      ),
      sleep(1).then(() => assertEquals(currentDeadline(), null)),
    ]);
  }),
);

Deno.test(
  "a shielded region is under its own deadline only",
  virtual(async () => {
    await timeout(100, async () => {
      await shielded(() => assertEquals(currentDeadline(), null));
      await shielded(() => assertEquals(currentDeadline(), 500), {
        timeout: 500,
      });
    });
  }),
);

Deno.test(
  "the tasks of a group are under the deadline around it, and under their own",
  virtual(async () => {
    const seen: (number | null)[] = [];
    const look = () => void seen.push(currentDeadline());
    await timeout(100, () =>
      taskGroup((group) => {
        look();
        group.createTask(look);
        group.createTask(() => timeout(10, look));
        group.createTask(() => timeout(500, look));
        group.createTask(() => shielded(look));
        group.createTask(() =>
          taskGroup((inner) => {
            inner.createTask(look);
          })
        );
      }));
    await taskGroup((group) => {
      group.createTask(look);
    });
    assertEquals(seen, [100, 100, 10, 100, null, 100, null]);
  }),
);

Deno.test(
  "what gather() and pooledMap() run is under the deadline around them",
  virtual(async () => {
    const look = () => currentDeadline();
    await timeout(100, async () => {
      assertEquals(await gather([look, () => timeout(5, look)]), [100, 5]);
      for await (const seen of pooledMap([1, 2], look, { limit: 1 })) {
        assertEquals(seen, 100);
      }
    });
    assertEquals(await gather([look]), [null]);
  }),
);

Deno.test(
  "a task of its own is under no deadline but its own",
  virtual(async () => {
    const deadline = await timeout(
      100,
      () => createTask(() => currentDeadline()),
    );
    assertEquals(deadline, null);
  }),
);
