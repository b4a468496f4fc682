/** What docs/testing.md shows, for a test runner: a name and a test each. */
import assert from "node:assert/strict";
import {
  createTask,
  gather,
  Lock,
  openConnection,
  Queue,
  ScheduleError,
  sleep,
  startServer,
} from "@asyncio/asyncio";
import {
  exploreCancellations,
  exploreSchedules,
  memoryStreamPair,
  runVirtual,
  simulate,
} from "@asyncio/asyncio/testing";

/** Two that read a counter, wait, and write it. */
function increments(lock) {
  return async () => {
    let counter = 0;
    const increment = async () => {
      const before = counter;
      await sleep(10);
      counter = before + 1;
    };
    const work = lock === null ? increment : () => lock().with(increment);
    await gather([work, () => sleep(10).then(work)]);
    assert.equal(counter, 2);
  };
}

function lockForEach() {
  let lock;
  return () => lock ??= new Lock();
}

export const concepts = {
  "an hour takes no time": async () => {
    assert.equal(await runVirtual(() => sleep(3_600_000, "over")), "over");
  },
  "an order that fails is found, and comes back": async () => {
    await runVirtual(increments(null));
    const isFailure = (error) => error instanceof ScheduleError;
    let replay = "";
    await assert.rejects(() => exploreSchedules(increments(null)), (error) => {
      replay = error.replay;
      return isFailure(error);
    });
    await assert.rejects(
      () => exploreSchedules(increments(null), { replay }),
      isFailure,
    );
  },
  "all orders": async () => {
    const { complete } = await exploreSchedules(
      () => increments(lockForEach())(),
      { strategy: "exhaustive" },
    );
    assert.ok(complete);
  },
  "every cancellation, and no task left": async () => {
    const { complete } = await exploreCancellations(async () => {
      const queue = new Queue();
      queue.putNowait("item");
      const task = createTask(() => queue.get());
      const got = await task.catch(() => null);
      assert.equal(queue.size, got === null ? 1 : 0);
    }, { leftovers: "refuse" });
    assert.ok(complete);
  },
  "a connection that breaks": () =>
    runVirtual(async () => {
      const [[, writer], [reader, other]] = memoryStreamPair({ cutAfter: 3 });
      writer.write("hello");
      assert.equal((await reader.readExactly(3)).length, 3);
      await assert.rejects(() => reader.read(), { name: "ConnectionResetError" });
      writer.close();
      other.close();
    }),
  "hosts of a simulation": () =>
    simulate(async (sim) => {
      sim.host("db", async () => {
        const server = await startServer(async (reader, writer) => {
          writer.write(await reader.readLine());
          writer.close();
        }, { port: 80 });
        await server.serveForever();
      });
      const [reader, writer] = await openConnection({
        hostname: "db",
        port: 80,
      });
      writer.write("hello\n");
      assert.equal((await reader.readLine()).length, 6);
      writer.close();
    }),
};
