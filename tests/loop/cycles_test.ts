import {
  CapacityLimiter,
  createTask,
  Event,
  gather,
  getRunningLoop,
  Lock,
  runVirtual,
  shield,
  sleep,
  type Task,
  taskGroup,
  timeout,
} from "@asyncio/asyncio";
import { assertEquals } from "@std/assert";
import { findStuck } from "../../loop/cycles.ts";
import { kernelOf } from "../../loop/kernel.ts";

/** The names in each cycle, sorted, and of all that are stuck. */
function stuck(): { cycles: string[][]; tasks: string[] } {
  const { cycles, tasks } = findStuck(kernelOf(getRunningLoop()));
  const names = (all: Iterable<Task<unknown>>) =>
    [...all].map(({ name }) => name).sort();
  return { cycles: cycles.map(names), tasks: names(tasks) };
}

const NOBODY = { cycles: [], tasks: [] };

/** Takes one lock, and then another, which somebody else has by then. */
async function take(first: Lock, second: Lock): Promise<void> {
  using _first = await first.acquire();
  await sleep(1);
  using _second = await second.acquire();
}

/** Runs `body` in virtual time; what it leaves behind is cancelled. */
function inLoop(body: () => Promise<void>): () => Promise<void> {
  return () => runVirtual(body);
}

Deno.test(
  "two that want each other's lock are a cycle, and others may wait for it",
  inLoop(async () => {
    const [left, right] = [new Lock(), new Lock()];
    createTask(() => take(left, right), { name: "Kant" });
    const plato = createTask(() => take(right, left), { name: "Plato" });
    createTask(async () => await plato, { name: "friend" });
    createTask(() => sleep(60_000), { name: "sleeper" });
    await sleep(5);
    assertEquals(stuck(), {
      cycles: [["Kant", "Plato"]],
      tasks: ["Kant", "Plato", "friend"],
    });
  }),
);

Deno.test(
  "a task that wants its own lock again is a cycle of one",
  inLoop(async () => {
    const lock = new Lock();
    createTask(() => take(lock, lock), { name: "Narcissus" });
    await sleep(5);
    assertEquals(stuck().cycles, [["Narcissus"]]);
  }),
);

Deno.test(
  "one that holds a lock and waits for a group that wants it is in a cycle",
  inLoop(async () => {
    const lock = new Lock();
    createTask(async () => {
      using _ = await lock.acquire();
      await taskGroup((group) => {
        group.createTask(() => lock.acquire(), { name: "child" });
        group.createTask(() => sleep(60_000), { name: "sibling" });
      });
    }, { name: "parent" });
    await sleep(5);
    assertEquals(stuck().cycles, [["child", "parent"]]);
  }),
);

Deno.test(
  "so is one that gathers, and one that awaits a task",
  inLoop(async () => {
    const lock = new Lock();
    createTask(async () => {
      using _ = await lock.acquire();
      await gather([
        createTask(() => lock.acquire(), { name: "gathered" }),
        () => sleep(60_000),
      ]);
    }, { name: "gatherer" });
    const other = new Lock();
    createTask(async () => {
      using _ = await other.acquire();
      await createTask(() => other.acquire(), { name: "awaited" });
    }, { name: "awaiter" });
    await sleep(5);
    assertEquals(stuck().cycles.toSorted(), [
      ["awaited", "awaiter"],
      ["gathered", "gatherer"],
    ]);
  }),
);

Deno.test(
  "who waits for one of several tokens is stuck once all borrowers are",
  inLoop(async () => {
    const limiter = new CapacityLimiter(2);
    const inner = new CapacityLimiter(2);
    const release = new Event();
    const nested = (outer: CapacityLimiter, within: CapacityLimiter) =>
      outer.with(async () => {
        await sleep(1);
        await within.with(() => {});
      });
    createTask(() => nested(limiter, inner), { name: "a" });
    createTask(() => nested(inner, limiter), { name: "b" });
    createTask(() => nested(limiter, inner), { name: "c" });
    createTask(() => inner.with(() => release.wait()), { name: "d" });
    await sleep(5);
    assertEquals(stuck(), NOBODY);
    release.set();
    await sleep(5);
    assertEquals(stuck(), NOBODY);
    for (const name of ["e", "f"]) {
      createTask(() => nested(limiter, inner), { name });
      createTask(() => nested(inner, limiter), { name: name.toUpperCase() });
    }
    await sleep(5);
    assertEquals(stuck().tasks, ["E", "F", "e", "f"]);
    assertEquals(stuck().cycles.length, 1);
  }),
);

Deno.test(
  "a timeout around one of them, or around their group, is a way out",
  inLoop(async () => {
    const [left, right] = [new Lock(), new Lock()];
    createTask(() => timeout(1000, () => take(left, right)), { name: "Kant" });
    createTask(() => take(right, left), { name: "Plato" });
    const [up, down] = [new Lock(), new Lock()];
    createTask(() =>
      timeout(1000, () =>
        taskGroup((group) => {
          group.createTask(() => take(up, down));
          group.createTask(() => take(down, up));
        }))
    );
    await sleep(5);
    assertEquals(stuck(), NOBODY);
  }),
);

Deno.test(
  "nobody is stuck who waits for an event, or for a lock of one who does",
  inLoop(async () => {
    const lock = new Lock();
    const event = new Event();
    createTask(() => lock.with(() => event.wait()));
    createTask(() => lock.with(() => {}));
    createTask(() => shield(createTask(() => event.wait())));
    await sleep(5);
    assertEquals(stuck(), NOBODY);
  }),
);

Deno.test(
  "a lock whose holder has ended may be released by another",
  inLoop(async () => {
    const lock = new Lock();
    await createTask(() => lock.acquire());
    createTask(() => lock.acquire());
    await sleep(5);
    assertEquals(stuck(), NOBODY);
  }),
);

Deno.test(
  "many tasks in long chains are looked through",
  inLoop(async () => {
    const locks = Array.from({ length: 20_000 }, () => new Lock());
    for (const [index, lock] of locks.entries()) {
      createTask(() => take(lock, locks[(index + 1) % locks.length]!));
    }
    await sleep(5);
    assertEquals(stuck().cycles[0]?.length, 20_000);
  }),
);
