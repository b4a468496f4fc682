/** Servers that stop, connections that break, workers that die. */
import {
  createTask,
  InvalidStateError,
  run,
  sleep,
  taskGroup,
} from "@asyncio/asyncio";
import type { DurableQueue } from "@asyncio/asyncio/durable";
import { openJetStreamQueue } from "@asyncio/asyncio/jetstream";
import {
  assert,
  assertEquals,
  assertLessOrEqual,
  assertRejects,
} from "@std/assert";
import process from "node:process";
import { connect, NATS, Proxy, withJetStream } from "../_support/nats.ts";
import { runProgram } from "../_support/programs.ts";

const JOBS = Number(process.env["DURABLE_JOBS"] ?? 600);

/** Runs a test with two queues of one name, the second of which can be cut off. */
function withFarQueue(
  leaseMs: number,
  fn: (
    given: {
      readonly queue: DurableQueue<number>;
      readonly far: DurableQueue<number>;
      readonly proxy: Proxy;
    },
  ) => Promise<void>,
): Promise<void> {
  const options = { leaseMs };
  return withJetStream<number>(async ({ queue, server }) => {
    await using proxy = await Proxy.open(server.port);
    const connection = await connect(proxy.port);
    const far = await openJetStreamQueue<number>(connection, "jobs", options);
    await fn({ queue, far, proxy });
    await far.close();
    await connection.close();
  }, options);
}

Deno.test({
  name: "a queue goes on when its server is killed and started again",
  ...NATS,
  fn: () =>
    run(() =>
      withJetStream<number>(async ({ queue, server }) => {
        const done: number[] = [];
        const worker = createTask(async () => {
          for await (const item of queue) done.push(item);
        });
        await queue.put(0);
        await queue.join();
        await server.kill();
        const producer = createTask(async () => {
          for (let i = 1; i < 5; i++) await queue.put(i);
        });
        await sleep(50);
        await server.start();
        await producer;
        await queue.join();
        assertEquals(done, [0, 1, 2, 3, 4]);
        queue.shutdown();
        await worker;
      }, { leaseMs: 1_000 })
    ),
});

Deno.test({
  name: "a queue goes on when its server stands still for longer than a lease",
  ...NATS,
  fn: () =>
    run(() =>
      withJetStream<number>(async ({ queue, server }) => {
        await queue.put(1);
        await queue.put(2);
        assertEquals(await queue.get(), 1);
        server.signal("SIGSTOP");
        await sleep(700);
        server.signal("SIGCONT");
        // Nobody can say who has the first by now.
        await assertRejects(() => queue.taskDone(), InvalidStateError);
        const items = [await queue.get(), await queue.get()];
        assertEquals(items.sort(), [1, 2]);
        await queue.taskDone();
        await queue.taskDone();
        await queue.join();
      }, { leaseMs: 500 })
    ),
});

Deno.test({
  name: "who is cut off for longer than a lease loses it, and goes on",
  ...NATS,
  fn: () =>
    run(() =>
      withFarQueue(500, async ({ queue, far, proxy }) => {
        await queue.put(1);
        assertEquals(await far.get(), 1);
        proxy.cut();
        // The other one has it when the lease has run out.
        assertEquals(await queue.get(), 1);
        await assertRejects(() => far.taskDone(), InvalidStateError);
        const getter = createTask(() => far.get());
        proxy.mend();
        await queue.taskDone();
        await queue.put(2);
        assertEquals(await getter, 2);
      })
    ),
});

Deno.test({
  name: "who is cut off for a moment keeps its lease",
  ...NATS,
  fn: () =>
    run(() =>
      withFarQueue(5_000, async ({ queue, far, proxy }) => {
        await queue.put(1);
        assertEquals(await far.get(), 1);
        proxy.cut();
        const finishing = far.taskDone();
        proxy.mend();
        await finishing;
        await queue.join();
      })
    ),
});

Deno.test({
  name: "workers that are killed lose no job, and repeat no more than they had",
  ...NATS,
  fn: () =>
    withJetStream<number>(async ({ queue, server }) => {
      await run(() =>
        taskGroup((group) => {
          for (let i = 0; i < JOBS; i++) group.createTask(() => queue.put(i));
        })
      );
      const did = new Map<number, number>();
      let kills = 0;
      const work = async (): Promise<void> => {
        let wasKilled: boolean;
        do {
          let count = 0;
          const { signal, stderr } = await runProgram("jetstream", {
            args: [`${server.port}`],
            onLine(line, send) {
              const job = Number(line.split(" ")[1]);
              did.set(job, (did.get(job) ?? 0) + 1);
              if (kills < 2 && ++count === 50 * (kills + 1)) {
                kills++;
                send("SIGKILL");
              }
            },
          });
          assertEquals(stderr, "");
          wasKilled = signal !== undefined;
        } while (wasKilled);
      };
      const workers = [work(), work()];
      await queue.join();
      for (const _ of workers) await queue.put(-1);
      await Promise.all(workers);
      assertEquals(kills, 2);
      assertEquals(did.size, JOBS);
      const total = [...did.values()].reduce((sum, count) => sum + count, 0);
      // What was said before the kill, and done after it was heard of.
      assertLessOrEqual(total - JOBS, kills);
      assert((await queue.statistics()).dead === 0);
    }, { leaseMs: 1_000, maxDeliveries: 1000 }),
});
