/**
 * Work that outlives the process: a queue in an SQLite file, or on a server.
 *
 * asyncio leaves this to Celery and its kind. A producer puts jobs into a queue,
 * and two worker processes take them. One of these is killed on the way: what it
 * had at hand is given to the other. A job that fails again and again ends among
 * the dead letters. With a path or a server, the queue stays, and what was left
 * there by an earlier run is done as well. The progress goes to stderr.
 *
 *     deno task example job_queue            in a file that is gone afterwards
 *     deno task example job_queue jobs.db    in one that stays
 *     deno task example job_queue --nats nats://127.0.0.1:4222
 *
 * It prints
 *
 *     2 workers
 *     one of them was killed
 *     30 jobs were put, and none is left
 *     dead letter: broken.png, delivered 3 times
 *
 * @module
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { argv, kill } from "node:process";
import { gather, prefork, run, sleep, workerInfo } from "@asyncio/asyncio";
import { type DurableQueue, openSqliteQueue } from "@asyncio/asyncio/durable";

const JOBS = 30;
const LIMITS = { leaseMs: 300, maxDeliveries: 3 };

/** The one place that knows which engine it is. */
async function withJobs(
  place: string,
  fn: (queue: DurableQueue<string>) => Promise<void>,
): Promise<void> {
  if (!place.startsWith("nats://")) {
    await using queue = await openSqliteQueue<string>(place, LIMITS);
    return await fn(queue);
  }
  const { openJetStreamQueue } = await import("@asyncio/asyncio/jetstream");
  const { connect } = await import("@nats-io/transport-node");
  const connection = await connect({
    servers: place,
    maxReconnectAttempts: -1,
  });
  try {
    await using queue = await openJetStreamQueue<string>(
      connection,
      "job-queue",
      LIMITS,
    );
    await fn(queue);
  } finally {
    await connection.close();
  }
}

async function resize(image: string): Promise<void> {
  await sleep(5);
  if (image === "broken.png") throw new RangeError(`${image} is no image`);
}

/** What each worker process runs, until it is told to stop. */
async function work(queue: DurableQueue<string>): Promise<void> {
  const { stopping, ready } = workerInfo()!;
  stopping.addEventListener("abort", () => queue.shutdown());
  ready();
  while (!stopping.aborted) {
    try {
      for await (const image of queue) {
        await resize(image);
        console.log(image);
      }
    } catch (error) {
      // The queue has its image back, and counts how often that happens.
      if (!(error instanceof RangeError)) throw error;
    }
  }
}

async function produce(
  queue: DurableQueue<string>,
  place: string,
): Promise<void> {
  let done = 0;
  const supervisor = await prefork({
    script: new URL(import.meta.url),
    args: ["--work", place],
    workers: 2,
    restartDelayMs: 10,
    onLog: ({ stream }) => {
      if (stream === "stdout" && ++done % 10 === 0) {
        console.error(`${done} done`);
      }
    },
  });
  console.log(`${supervisor.workers.length} workers`);
  const images = Array.from({ length: JOBS - 1 }, (_, i) => `cat ${i}.png`);
  await gather(["broken.png", ...images].map((image) => queue.put(image)));
  await sleep(20);
  kill(supervisor.workers[0]!.pid!, "SIGKILL");
  console.log("one of them was killed");
  await queue.join();
  console.log(`${JOBS} jobs were put, and none is left`);
  for (const { item, deliveries } of await queue.deadLetters.list()) {
    console.log(`dead letter: ${item}, delivered ${deliveries} times`);
  }
  await queue.deadLetters.empty();
  await supervisor.stop();
}

async function main(asked?: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "job-queue-"));
  const place = asked ?? join(folder, "jobs.db");
  try {
    await withJobs(place, (queue) => produce(queue, place));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (import.meta.main) {
  const [first, second] = argv.slice(2);
  await run(() =>
    first === "--work"
      ? withJobs(second!, work)
      : main(first === "--nats" ? second : first)
  );
}
