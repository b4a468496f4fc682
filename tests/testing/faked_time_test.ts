import { assertEquals, assertStrictEquals } from "@std/assert";
import { mock } from "node:test";
import {
  createTask,
  gather,
  getRunningLoop,
  moveOnAfter,
  Queue,
  run,
  runVirtual,
  sleep,
  timeout,
} from "@asyncio/asyncio";

/** Each way in which a test runner fakes time, and what takes it back. */
const FAKES: Readonly<Record<string, () => () => void>> = {
  "mock.timers of node:test"() {
    mock.timers.enable({
      apis: ["setTimeout", "setInterval", "setImmediate", "Date"],
    });
    return () => mock.timers.reset();
  },
  "fakes that stand still in all globals"() {
    const names = [
      "setTimeout",
      "setInterval",
      "setImmediate",
      "clearTimeout",
      "clearInterval",
      "clearImmediate",
      "queueMicrotask",
    ] as const;
    const undo = names.map((name) => replace(globalThis, name, () => 0));
    undo.push(replace(performance, "now", () => 0));
    undo.push(replace(Date, "now", () => 0));
    return () => undo.forEach((each) => each());
  },
};

/** Replaces a function, and gives what puts it back. */
function replace<T extends object>(
  owner: T,
  name: keyof T & string,
  fake: () => unknown,
): () => void {
  const own = Object.getOwnPropertyDescriptor(owner, name);
  Object.defineProperty(owner, name, {
    value: fake,
    configurable: true,
    writable: true,
  });
  return () => {
    if (own === undefined) delete owner[name];
    else Object.defineProperty(owner, name, own);
  };
}

for (const [kind, fake] of Object.entries(FAKES)) {
  const test = (what: string, body: () => Promise<void>) =>
    Deno.test(`${what} under ${kind}`, async () => {
      const undo = fake();
      try {
        await body();
      } finally {
        undo();
      }
    });

  test("runVirtual() goes on", async () => {
    const queue = new Queue<number>();
    const result = await runVirtual(async () => {
      createTask(async () => {
        await sleep(1000);
        await queue.put(1);
      });
      await moveOnAfter(10, () => sleep(60_000));
      const item = await queue.get();
      return [item, getRunningLoop().time()];
    });
    assertEquals(result, [1, 1000]);
  });

  test("a loop on the host's clock goes on", async () => {
    const before = await run(() => getRunningLoop().time());
    const all = await run(() =>
      gather([
        () => sleep(2, "slept"),
        () => timeout(60_000, () => sleep(1, "in time")),
        // More turns than a drain may take before the host has its own.
        async () => {
          for (let turn = 0; turn < 5000; turn++) await sleep(0);
          return getRunningLoop().time() > before;
        },
      ])
    );
    assertEquals(all, ["slept", "in time", true]);
  });

  test("the default loop goes on", async () => {
    assertStrictEquals(await sleep(1, "slept"), "slept");
  });
}
