import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { withRedis } from "../redis.ts";
import { check } from "../sides.ts";
import { atLeast } from "../targets.ts";
import type { Load, MeasuredRow, TimedRow, Work } from "../types.ts";

type Durable = typeof import("@asyncio/asyncio/durable");
type Asyncio = typeof import("@asyncio/asyncio");
type Queue = Awaited<
  ReturnType<typeof import("@asyncio/asyncio/durable").openSqliteQueue<number>>
>;

/** How safe a commit is: the same for both sides. */
type Synchronous = "full" | "normal";

/** One job after another: put, taken and done. */
export const durableOne: TimedRow = oneByOne("durable_one", "normal");

/** The same where every commit is on the disk before it is said to be. */
export const durableFull: TimedRow = oneByOne("durable_full", "full");

function oneByOne(id: string, synchronous: Synchronous): TimedRow {
  return {
    kind: "timed",
    id,
    title: `durable job in SQLite, one at a time, synchronous ${synchronous}`,
    size: 1000,
    python: false,
    targets: atLeast({ bare: 0.6 }),
    notes: { bare: "prepared statements by hand, in the same journal mode" },
    peers: {
      ours: ours(synchronous, async (queue, _asyncio, size) => {
        for (let i = 0; i < size; i++) {
          await queue.put(i);
          check(await queue.get(), i);
          await queue.taskDone();
        }
      }),
      bare: byHand(synchronous, ({ put, take, done }, size) => {
        for (let i = 0; i < size; i++) {
          put(i);
          const job = take()!;
          check(job.item, i);
          done(job.number);
        }
      }),
    },
  };
}

/** A thousand callers put at once, and a thousand workers take and end what there is. */
export const durableBatch: TimedRow = {
  kind: "timed",
  id: "durable_batch",
  title: "durable job in SQLite, 1,000 at once",
  size: 1000,
  python: false,
  targets: atLeast({ bare: 0.6 }),
  notes: { bare: "by hand, a transaction for each thousand of one kind" },
  peers: {
    ours: ours("normal", async (queue, { gather }, size) => {
      const items = Array.from({ length: size }, (_, i) => i);
      await gather(items.map((item) => queue.put(item)));
      const got = await gather(items.map(() => queue.get()));
      check(got.length, size);
      await gather(items.map(() => queue.taskDone()));
    }),
    bare: byHand("normal", ({ put, take, done, atOnce }, size) => {
      const jobs: Job[] = [];
      atOnce(() => {
        for (let i = 0; i < size; i++) put(i);
      });
      atOnce(() => {
        for (let i = 0; i < size; i++) jobs.push(take()!);
      });
      atOnce(() => {
        for (const { number } of jobs) done(number);
      });
      check(jobs.length, size);
    }),
  },
};

/** From `put` until a worker that waits, with a queue of its own on the file, has the job and has ended it. */
export const durableLatency: TimedRow = {
  kind: "timed",
  id: "durable_latency",
  title: "durable job, from put to a waiting worker and back",
  size: 20,
  python: false,
  targets: atLeast({ bullmq: 1 }),
  notes: {
    ours: "two queues on one SQLite file, which share nothing else",
    bullmq: "a Queue and a Worker, on a redis-server that stores nothing",
  },
  peers: {
    ours: oursTwice(),
    bullmq: bullmq(),
  },
};

/** What a million jobs leave behind. */
export const durableMemory: MeasuredRow = {
  kind: "measured",
  id: "durable_memory",
  title: "durable job in SQLite, memory that each leaves behind",
  size: 1_000_000,
  python: false,
  maxRounds: 1,
  metrics: [{
    name: "memory",
    unit: "bytes",
    targets: [{ peer: "ours", below: 8 }],
  }],
  notes: { ours: "growth of the heap over the last nine tenths" },
  peers: {
    async ours() {
      const [asyncio, durable] = await load();
      return (size) =>
        asyncio.run(() =>
          withFile(async (path) => {
            const queue = await durable.openSqliteQueue<number>(path, {
              synchronous: "normal",
            });
            const work = async (count: number) => {
              for (let left = count; left > 0; left -= 1000) {
                const items = Array.from({ length: 1000 }, (_, i) => i);
                await asyncio.gather(items.map((item) => queue.put(item)));
                await asyncio.gather(items.map(() => queue.get()));
                await asyncio.gather(items.map(() => queue.taskDone()));
              }
              (globalThis as { gc?: () => void }).gc?.();
              const { heapUsed, external } = process.memoryUsage();
              return heapUsed + external;
            };
            const before = await work(size / 10);
            const after = await work(size - size / 10);
            await queue.close();
            const memory = (after - before) / (size - size / 10);
            return { memory: Math.max(0, memory) };
          })
        );
    },
  },
};

function load(): Promise<[Asyncio, Durable]> {
  return Promise.all([
    import("@asyncio/asyncio"),
    import("@asyncio/asyncio/durable"),
  ]);
}

async function withFile<R>(use: (path: string) => Promise<R>): Promise<R> {
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  try {
    return await use(join(folder, "jobs.db"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function ours(
  synchronous: Synchronous,
  round: (queue: Queue, asyncio: Asyncio, size: number) => Promise<void>,
): Load<Work> {
  return async () => {
    const [asyncio, { openSqliteQueue }] = await load();
    return (rounds, size) =>
      asyncio.run(() =>
        withFile(async (path) => {
          const queue = await openSqliteQueue<number>(path, { synchronous });
          for (; rounds > 0; rounds--) await round(queue, asyncio, size);
          await queue.close();
        })
      );
  };
}

function oursTwice(): Load<Work> {
  return async () => {
    const [{ createTask, run }, { openSqliteQueue }] = await load();
    return (rounds, size) =>
      run(() =>
        withFile(async (path) => {
          const options = { synchronous: "normal" } as const;
          const queue = await openSqliteQueue<number>(path, options);
          const other = await openSqliteQueue<number>(path, options);
          let sum = 0;
          const worker = createTask(async () => {
            for await (const item of other) sum += item;
          });
          for (let left = rounds * size; left > 0; left--) {
            await queue.put(1);
            await queue.join();
          }
          other.shutdown();
          await worker;
          check(sum, rounds * size);
          await other.close();
          await queue.close();
        })
      );
  };
}

function bullmq(): Load<Work> {
  return async () => {
    const { Queue, QueueEvents, Worker } = await import("bullmq");
    const { Redis } = await import("ioredis");
    return (rounds, size) =>
      withRedis(async (port) => {
        const connection = new Redis(port, { maxRetriesPerRequest: null });
        const queue = new Queue("bench", { connection });
        const events = new QueueEvents("bench", { connection });
        let sum = 0;
        const worker = new Worker<number>("bench", async ({ data }) => {
          sum += data;
        }, { connection });
        await Promise.all([worker.waitUntilReady(), events.waitUntilReady()]);
        for (let left = rounds * size; left > 0; left--) {
          const job = await queue.add("job", 1, { removeOnComplete: true });
          await job.waitUntilFinished(events);
        }
        check(sum, rounds * size);
        await Promise.all([worker.close(), events.close(), queue.close()]);
        connection.disconnect();
      });
  };
}

interface Job {
  readonly number: number;
  readonly item: number;
}

interface Hand {
  put(item: number): void;
  take(): Job | null;
  done(number: number): void;
  atOnce(work: () => void): void;
}

/** What one writes who needs no more than this: no priorities, no delay, no dead letters, one process. */
function byHand(
  synchronous: Synchronous,
  round: (hand: Hand, size: number) => void,
): Load<Work> {
  return async () => {
    const { DatabaseSync } = await import("node:sqlite");
    const encoder = new TextEncoder();
    const decoder = new TextDecoder();
    return (rounds, size) =>
      withFile((path) => {
        const database = new DatabaseSync(path);
        database.exec(`
          PRAGMA journal_mode = WAL;
          PRAGMA synchronous = ${synchronous};
          CREATE TABLE jobs (number INTEGER PRIMARY KEY, leased INTEGER NOT NULL DEFAULT 0, body BLOB NOT NULL);
          CREATE INDEX jobs_in_order ON jobs (leased, number);
        `);
        const insert = database.prepare("INSERT INTO jobs (body) VALUES (?)");
        const lease = database.prepare(
          "UPDATE jobs SET leased = 1 WHERE number = (SELECT number FROM jobs WHERE leased = 0 ORDER BY number LIMIT 1) RETURNING number, body",
        );
        const remove = database.prepare("DELETE FROM jobs WHERE number = ?");
        const begin = database.prepare("BEGIN IMMEDIATE");
        const commit = database.prepare("COMMIT");
        const hand: Hand = {
          put: (item) => void insert.run(encoder.encode(JSON.stringify(item))),
          take() {
            const row = lease.all()[0];
            if (row === undefined) return null;
            const body = row["body"] as Uint8Array;
            return {
              number: row["number"] as number,
              item: JSON.parse(decoder.decode(body)) as number,
            };
          },
          done: (number) => void remove.run(number),
          atOnce(work) {
            begin.run();
            work();
            commit.run();
          },
        };
        for (; rounds > 0; rounds--) round(hand, size);
        database.close();
        return Promise.resolve();
      });
  };
}
