/** Three servers that store everything three times. */
import { createTask, run, sleep } from "@asyncio/asyncio";
import { openJetStreamQueue } from "@asyncio/asyncio/jetstream";
import { assertEquals } from "@std/assert";
import {
  connect,
  NATS,
  type NatsServer,
  withCluster,
} from "../_support/nats.ts";

/** The server that leads the stream, and one that leads nothing of the queue. */
async function leaderAndFollower(
  servers: readonly NatsServer[],
  connection: unknown,
): Promise<[NatsServer, NatsServer]> {
  const { jetstreamManager } = await import("@nats-io/jetstream");
  const { streams, consumers } = await jetstreamManager(
    connection as never,
    { checkAPI: false },
  );
  const { cluster } = await streams.info("jobs");
  const jobs = await consumers.info("jobs", "jobs");
  const named = (name = "") => servers.find((each) => each.name === name)!;
  const follower = servers.find(({ name }) =>
    name !== cluster?.leader && name !== jobs.cluster?.leader
  )!;
  return [named(cluster?.leader), follower];
}

async function untilCurrent(connection: unknown): Promise<void> {
  const { jetstreamManager } = await import("@nats-io/jetstream");
  const options = { checkAPI: false, timeout: 500 };
  const { streams } = await jetstreamManager(connection as never, options);
  for (;;) {
    // While a leader is elected, nobody answers.
    const info = await streams.info("jobs").catch(() => null);
    const replicas = info?.cluster?.replicas ?? [];
    if (replicas.length === 2 && replicas.every(({ current }) => current)) {
      return;
    }
    await sleep(50);
  }
}

Deno.test({
  name: "a cluster goes on without one of three, be it the leader",
  ...NATS,
  fn: () =>
    run(() =>
      withCluster(async (servers) => {
        const ports = servers.map(({ port }) => port);
        const connection = await connect(...ports);
        const queue = await openJetStreamQueue<number>(connection, "jobs", {
          replicas: 3,
          leaseMs: 2_000,
        });
        const counts = new Map<number, number>();
        const worker = createTask(async () => {
          for await (const item of queue) {
            counts.set(item, (counts.get(item) ?? 0) + 1);
          }
        });
        const putMany = async (from: number, to: number) => {
          for (let i = from; i < to; i++) await queue.put(i);
        };
        await putMany(0, 50);

        const [, follower] = await leaderAndFollower(servers, connection);
        const first = createTask(() => putMany(50, 150));
        await follower.kill();
        await first;
        await queue.join();

        // One that is back has to catch up before another may go.
        await follower.start();
        await untilCurrent(connection);
        const [leader] = await leaderAndFollower(servers, connection);
        const second = createTask(() => putMany(150, 250));
        await leader.kill();
        await second;
        await queue.join();

        queue.shutdown();
        await worker;
        assertEquals(counts.size, 250);
        await queue.close();
        await connection.close();
      })
    ),
});
