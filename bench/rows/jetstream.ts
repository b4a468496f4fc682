import { connectToServer } from "../nats.ts";
import { check } from "../sides.ts";
import type { Load, Target, TimedRow, Work } from "../types.ts";

/** Producers, and workers, at a time. */
const AT_A_TIME = 100;

const BARE = "@nats-io/jetstream";

const targets: readonly Target[] = [{ peer: BARE, atLeast: 0.9 }];

const peerNotes = {
  ours: "put(); get() and taskDone()",
  [BARE]: "publish(); consume() and ackAck()",
};

/** A queue as both sides have it. */
interface Side {
  put(item: number): Promise<unknown>;
  /** Takes so many items, each acknowledged when the server has heard it, and gives their sum. */
  take(count: number): Promise<number>;
}

async function openOurs(): Promise<Side> {
  const { createTask } = await import("@asyncio/asyncio");
  const { openJetStreamQueue } = await import("@asyncio/asyncio/jetstream");
  const queue = await openJetStreamQueue<number>(
    await connectToServer(),
    "bench",
  );
  return {
    put: (item) => queue.put(item),
    async take(count) {
      let left = count;
      let sum = 0;
      const worker = async () => {
        while (left-- > 0) {
          const item = await queue.get();
          sum += item;
          await queue.taskDone();
        }
      };
      const tasks = Array.from(
        { length: AT_A_TIME },
        () => createTask(worker),
      );
      for (const task of tasks) await task;
      return sum;
    },
  };
}

async function openBare(): Promise<Side> {
  const { jetstream, jetstreamManager } = await import(BARE);
  const connection = await connectToServer();
  const manager = await jetstreamManager(connection);
  const client = jetstream(connection);
  const config = { name: "bench", subjects: ["bench"] };
  await manager.streams.add({ ...config, retention: "workqueue" });
  const consumer = { durable_name: "jobs", ack_policy: "explicit" };
  await manager.consumers.add("bench", { ...consumer, max_ack_pending: -1 });
  const jobs = await client.consumers.get("bench", "jobs");
  return {
    put: (item) => client.publish("bench", JSON.stringify(item)),
    async take(count) {
      let left = count;
      let sum = 0;
      const messages = await jobs.consume({ max_messages: AT_A_TIME });
      const acknowledged: Promise<unknown>[] = [];
      for await (const message of messages) {
        sum += message.json();
        acknowledged.push(message.ackAck());
        if (--left === 0) break;
      }
      await Promise.all(acknowledged);
      return sum;
    },
  };
}

async function putAll(side: Side, count: number): Promise<void> {
  let item = 0;
  const producer = async () => {
    while (item < count) await side.put(item++);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, producer));
}

function putting(open: () => Promise<Side>): Load<Work> {
  return async () => {
    const side = await open();
    return (rounds, size) => putAll(side, rounds * size);
  };
}

function working(open: () => Promise<Side>): Load<Work> {
  return async () => {
    const side = await open();
    return async (rounds, size) => {
      const count = rounds * size;
      await putAll(side, count);
      check(await side.take(count), count * (count - 1) / 2);
    };
  };
}

/** Items that the server has stored. */
export const jetStreamPut: TimedRow = {
  kind: "timed",
  id: "jetstream_put",
  title: `JetStream: put an item, ${AT_A_TIME} at a time`,
  size: 1_000,
  python: false,
  targets,
  notes: peerNotes,
  peers: { ours: putting(openOurs), [BARE]: putting(openBare) },
};

/** The same, and then each is taken by a worker and done, which the server has heard. */
export const jetStreamJob: TimedRow = {
  kind: "timed",
  id: "jetstream_job",
  title: `JetStream: put, take and finish an item, ${AT_A_TIME} at a time`,
  size: 1_000,
  python: false,
  targets,
  notes: peerNotes,
  peers: { ours: working(openOurs), [BARE]: working(openBare) },
};
