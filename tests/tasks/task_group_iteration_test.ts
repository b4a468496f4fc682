import {
  createTask,
  type DoneTask,
  ExceptionGroup,
  isCancelledError,
  moveOnAfter,
  sleep,
  type Task,
  taskGroup,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { hasGc, leftBehind } from "../_support/gc.ts";
import { now, turns, virtual } from "../_support/virtual.ts";

async function failAfter(ms: number, message: string): Promise<never> {
  await sleep(ms);
  throw new RangeError(message);
}

Deno.test(
  "for await over a group gives its tasks in the order of their ends, the very objects",
  virtual(async () => {
    await taskGroup(async (group) => {
      const [slow, quick, middle] = [30, 10, 20].map((ms) =>
        group.createTask(() => sleep(ms, ms))
      ) as [Task, Task, Task];
      const ended: DoneTask[] = [];
      const times: number[] = [];
      for await (const task of group) {
        ended.push(task);
        times.push(now());
      }
      assertEquals(times, [10, 20, 30]);
      assertStrictEquals(ended[0], quick);
      assertStrictEquals(ended[1], middle);
      assertStrictEquals(ended[2], slow);
      assertEquals(ended.map((task) => task.result()), [10, 20, 30]);
    });
  }),
);

Deno.test(
  "for await over a group gives tasks that are made meanwhile, and those in line",
  virtual(async () => {
    const names: string[] = [];
    await taskGroup(async (group) => {
      for (const name of ["a", "b", "c"]) {
        group.createTask(() => sleep(1), { name });
      }
      for await (const { name } of group) {
        names.push(name);
        if (name.length < 3) {
          group.createTask(() => sleep(1), { name: name + name[0] });
        }
      }
    }, { limit: 2 });
    assertEquals(names.toSorted(), [
      "a",
      "aa",
      "aaa",
      "b",
      "bb",
      "bbb",
      "c",
      "cc",
      "ccc",
    ]);
  }),
);

Deno.test(
  "for await over a group without tasks ends at once, and again when it is empty",
  virtual(async () => {
    await taskGroup(async (group) => {
      for await (const _ of group) throw new Error("there was none");
      group.createTask(() => sleep(1));
      let count = 0;
      for await (const _ of group) count++;
      for await (const _ of group) count++;
      assertEquals(count, 1);
    });
  }),
);

Deno.test(
  "a loop over a group that is left can be followed by another, which gets the rest",
  virtual(async () => {
    const names: string[] = [];
    await taskGroup(async (group) => {
      for (const ms of [1, 2, 3, 4]) {
        group.createTask(() => sleep(ms), { name: `${ms}` });
      }
      for await (const { name } of group) {
        names.push(name);
        break;
      }
      await sleep(10);
      for await (const { name } of group) names.push(name);
    });
    assertEquals(names, ["1", "2", "3", "4"]);
  }),
);

Deno.test(
  "tasks that ended before the first loop over a group are not kept for it",
  virtual(async () => {
    const names: string[] = [];
    await taskGroup(async (group) => {
      group.createTask(() => {}, { name: "before" });
      await sleep(1);
      group.createTask(() => {}, { name: "after" });
      for await (const { name } of group) names.push(name);
    });
    assertEquals(names, ["after"]);
  }),
);

Deno.test(
  "loops side by side share the tasks of a group, and all of them end",
  virtual(async () => {
    const names: string[] = [];
    await taskGroup(async (group) => {
      for (let n = 0; n < 10; n++) {
        group.createTask(() => sleep(n), { name: `${n}` });
      }
      const loop = async () => {
        for await (const { name } of group) names.push(name);
      };
      await Promise.all([loop(), loop(), loop()]);
    });
    assertEquals(
      names.toSorted(),
      Array.from({ length: 10 }, (_, n) => `${n}`),
    );
  }),
);

Deno.test(
  "a loop over a group that collects is given what failed, and what was cancelled",
  virtual(async () => {
    const ends: string[] = [];
    const group = await assertRejects(
      () =>
        taskGroup(async (group) => {
          group.createTask(() => failAfter(1, "boom"));
          const task = group.createTask(() => sleep(1000));
          group.createTask(() => sleep(2).then(() => task.cancel()));
          for await (const task of group) {
            ends.push(
              task.cancelled() ? "cancelled" : String(task.exception()),
            );
          }
        }, { onError: "collect" }),
      ExceptionGroup,
    );
    assertEquals(ends, ["RangeError: boom", "undefined", "cancelled"]);
    assertEquals(group.errors.length, 1);
  }),
);

Deno.test(
  "a loop over a group that cancels for a failure is cancelled with the block",
  virtual(async () => {
    let thrown: unknown;
    const group = await assertRejects(
      () =>
        taskGroup(async (group) => {
          group.createTask(() => failAfter(5, "boom"));
          group.createTask(() => sleep(1000));
          try {
            for await (const _ of group);
          } catch (error) {
            thrown = error;
            throw error;
          }
        }),
      ExceptionGroup,
    );
    assert(isCancelledError(thrown));
    assertEquals(group.errors.length, 1);
    assertEquals(now(), 5);
  }),
);

Deno.test(
  "a loop over a group that is cancelled has taken nothing",
  virtual(async () => {
    for (const hops of [0, 1, 2, 3, 4]) {
      const names: string[] = [];
      await taskGroup(async (group) => {
        for (const ms of [10, 10, 20]) {
          group.createTask(() => sleep(ms), { name: `after ${ms}` });
        }
        const loop = createTask(async () => {
          for await (const { name } of group) names.push(name);
        });
        await sleep(10);
        for (let n = 0; n < hops; n++) await Promise.resolve();
        loop.cancel();
        await loop.catch(() => {});
        await turns(3);
        for await (const { name } of group) names.push(name);
      });
      assertEquals(names, ["after 10", "after 10", "after 20"]);
    }
  }),
);

Deno.test(
  "each step of a loop over a group may have a timeout of its own",
  virtual(async () => {
    const names: string[] = [];
    let late = 0;
    await taskGroup(async (group) => {
      for (const ms of [5, 14, 33]) {
        group.createTask(() => sleep(ms), { name: `${ms}` });
      }
      const ended = group[Symbol.asyncIterator]();
      while (true) {
        const step = await moveOnAfter(10, () => ended.next());
        if (step === undefined) late++;
        else if (step.done) break;
        else names.push(step.value.name);
      }
    });
    assertEquals(names, ["5", "14", "33"]);
    assertEquals(late, 1);
  }),
);

Deno.test(
  "a loop over a group that has ended gives what is left and ends",
  virtual(async () => {
    const group = await taskGroup(async (group) => {
      group.createTask(() => sleep(1), { name: "given" });
      group.createTask(() => sleep(2), { name: "left" });
      for await (const _ of group) break;
      return group;
    });
    const names: string[] = [];
    for await (const { name } of group) names.push(name);
    assertEquals(names, ["left"]);
  }),
);

Deno.test("a loop over a group of 100,000 tasks is linear, whether it keeps up or comes late", async () => {
  for (const lag of [0, 50]) {
    let count = 0;
    await taskGroup(async (group) => {
      for (let n = 0; n < 100_000; n++) group.createTask(() => sleep(0));
      for await (const _ of group) if (count++ === 0) await sleep(lag);
    }, { limit: 10 });
    assertEquals(count, 100_000);
  }
});

Deno.test({
  name: "loops over a group that were left or cancelled leave nothing behind",
  ignore: !hasGc,
  fn: async () => {
    await taskGroup(async (group) => {
      const bytes = await leftBehind(async () => {
        group.createTask(() => sleep(0));
        for await (const _ of group) break;
        const waiting = group.createTask(() => sleep(60_000));
        await moveOnAfter(0, async () => {
          for await (const _ of group);
        });
        waiting.cancel();
        for await (const _ of group);
      }, 100);
      assert(bytes <= 100, `${bytes} bytes a round`);
    });
  },
});
