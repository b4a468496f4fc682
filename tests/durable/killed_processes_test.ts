/** `kill -9` of processes at work. DURABLE_JOBS=20000 for a long run. */
import { openSqliteQueue } from "@asyncio/asyncio/durable";
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import process from "node:process";
import { DATABASES } from "../../platform/limits.ts";
import { withPath, withQueue } from "../_support/durable.ts";
import { runProgram } from "../_support/programs.ts";
import { needs } from "../_support/runtimes.ts";

const JOBS = Number(process.env["DURABLE_JOBS"] ?? 2_000);
const WORKERS = 2;
const KILLS = 2;

Deno.test({
  name:
    "workers that are killed lose no job, and repeat no more than the one at hand",
  ...needs(DATABASES),
  fn: () =>
    withQueue<number>(async (queue, path) => {
      for (let i = 0; i < JOBS; i++) await queue.put(i);
      const did = new Map<number, number>();
      let kills = 0;
      const work = async (): Promise<void> => {
        let wasKilled: boolean;
        do {
          let count = 0;
          const { signal } = await runProgram("durable", {
            args: [path],
            onLine(line, send) {
              const job = Number(line.split(" ")[1]);
              did.set(job, (did.get(job) ?? 0) + 1);
              if (kills < KILLS && ++count === 50 * (kills + 1)) {
                kills++;
                send("SIGKILL");
              }
            },
          });
          wasKilled = signal !== undefined;
        } while (wasKilled);
      };
      const workers = Array.from({ length: WORKERS }, work);
      await queue.join();
      // Each worker ends at one of these.
      for (let i = 0; i < WORKERS; i++) await queue.put(-1);
      await Promise.all(workers);
      assertEquals(kills, KILLS);
      assertEquals(did.size, JOBS);
      const total = [...did.values()].reduce((sum, count) => sum + count, 0);
      // What was said before the kill, and done after it was heard of.
      assertLessOrEqual(total - JOBS, kills);
    }, { leaseMs: 1_500, maxDeliveries: 1000 }),
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
