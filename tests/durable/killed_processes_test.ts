/** `kill -9` of processes at work. */
import { gather, prefork, run } from "@asyncio/asyncio";
import { type DurableQueue, openSqliteQueue } from "@asyncio/asyncio/durable";
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import process from "node:process";
import { DATABASES } from "../../platform/limits.ts";
import { withPath, withQueue } from "../_support/durable.ts";
import { program } from "../_support/workers.ts";
import { runProgram } from "../_support/programs.ts";
import { needs } from "../_support/runtimes.ts";

const JOBS = 20_000;
const WORKERS = 2;
const KILLS = 4;

/** How many jobs a worker of `tests/programs/durable.ts` has at a time. */
const TASKS = 8;

const OPTIONS = { leaseMs: 1_500, maxDeliveries: 1000 };

/** Puts jobs, as many at a time as a transaction is worth. */
async function putAll(queue: DurableQueue<number>, count: number) {
  for (let first = 0; first < count; first += 1000) {
    const length = Math.min(1000, count - first);
    const items = Array.from({ length }, (_, i) => first + i);
    await gather(items.map((item) => queue.put(item)));
  }
}

/** How often each job was done, by the lines that workers write. */
class Done {
  readonly counts = new Map<number, number>();
  /** Jobs that two living processes had at a time. */
  readonly doubles: string[] = [];

  read(line: string): void {
    const [what, item] = line.split(" ");
    if (what === "double") this.doubles.push(line);
    else if (what === "did") {
      const job = Number(item);
      this.counts.set(job, (this.counts.get(job) ?? 0) + 1);
    }
  }

  get repeated(): number {
    let repeated = 0;
    for (const count of this.counts.values()) repeated += count - 1;
    return repeated;
  }
}

Deno.test({
  name:
    "workers that are killed lose no job, and repeat no more than those at hand",
  ...needs(DATABASES),
  fn: () =>
    withQueue<number>(async (queue, path) => {
      await putAll(queue, JOBS);
      const done = new Done();
      let kills = 0;
      const work = async (): Promise<void> => {
        let wasKilled: boolean;
        do {
          let count = 0;
          const { signal, stderr } = await runProgram("durable", {
            args: [path],
            // Node 22 warns that its SQLite is new.
            env: { NODE_NO_WARNINGS: "1" },
            onLine(line, send) {
              done.read(line);
              if (kills < KILLS && ++count === 300) {
                kills++;
                send("SIGKILL");
              }
            },
          });
          assertEquals(stderr, "");
          wasKilled = signal !== undefined;
        } while (wasKilled);
      };
      const workers = Array.from({ length: WORKERS }, work);
      await Promise.race([queue.join(), Promise.all(workers)]);
      // Each worker ends at one of these, and might take two at once.
      await queue.put(-1);
      await Promise.race(workers);
      await queue.put(-1);
      await Promise.all(workers);
      assertEquals(kills, KILLS);
      assertEquals(done.counts.size, JOBS);
      assertEquals(done.doubles, []);
      // What was said, and not yet stored as done when the worker was killed.
      assertLessOrEqual(done.repeated, kills * TASKS);
    }, OPTIONS),
});

Deno.test({
  name: "the workers of prefork share a queue, also when one is killed",
  ...needs(DATABASES),
  fn: () =>
    run(() =>
      withQueue<number>(async (queue, path) => {
        const jobs = 500;
        const done = new Done();
        await using supervisor = await prefork({
          workers: WORKERS,
          script: program("durable"),
          args: [path],
          onLog: ({ text }) => done.read(text),
          handleSignals: false,
          restartDelayMs: 10,
        });
        // They wait by now, and hear of each.
        for (let i = 0; i < jobs / 2; i++) await queue.put(i);
        await queue.join();
        process.kill(supervisor.workers[0]!.pid!, "SIGKILL");
        for (let i = jobs / 2; i < jobs; i++) await queue.put(i);
        await queue.join();
        await supervisor.stop();
        assertEquals(done.counts.size, jobs);
        assertEquals(done.doubles, []);
        assertLessOrEqual(done.repeated, TASKS);
      }, OPTIONS)
    ),
});

Deno.test({
  name: "a producer that is killed has put an item whole or not at all",
  ...needs(DATABASES),
  fn: () =>
    withPath(async (path) => {
      let said = -1;
      const { signal } = await runProgram("durable", {
        args: [path, "put"],
        onLine(line, send) {
          said = Number(line.split(" ")[1]);
          if (said >= 100) send("SIGKILL");
        },
      });
      assertEquals(signal, "SIGKILL");
      const queue = await openSqliteQueue<number>(path);
      queue.shutdown();
      const items = await Array.fromAsync(queue);
      await queue.close();
      assert(items.length > said);
      assertEquals(items, items.map((_, index) => index));
    }),
});
