import {
  exploreCancellations,
  exploreSchedules,
  gather,
  Lock,
  Queue,
  sleep,
} from "@asyncio/asyncio";
import { assertLess } from "@std/assert";
import { hasGc, leftBehind } from "../_support/gc.ts";

/**
 * How many bytes a run may leave, which are the engine's: from a thousand runs to
 * the next, its heap goes up and down by about as much. The loop of a run alone is
 * several times that.
 */
const LITTLE = 200;

async function test(): Promise<void> {
  const [lock, queue] = [new Lock(), new Queue<number>()];
  await gather([1, 2, 3].map((ms) => async () => {
    await lock.with(() => sleep(ms));
    await queue.put(ms);
    await queue.get();
  }));
}

for (const strategy of ["random", "pct"] as const) {
  Deno.test({
    name: `runs of exploreSchedules() leave nothing behind: ${strategy}`,
    ignore: !hasGc,
    fn: async () => {
      let seed = 0;
      const round = () =>
        exploreSchedules(test, { strategy, runs: 1, seed: seed++ });
      assertLess(await leftBehind(round, LITTLE), LITTLE);
    },
  });
}

Deno.test({
  name: "runs within one call of exploreSchedules() leave nothing behind",
  ignore: !hasGc,
  fn: async () => {
    // A thousand rounds of ten runs.
    const round = () => exploreSchedules(test, { runs: 10 });
    assertLess(await leftBehind(round, LITTLE), LITTLE);
  },
});

Deno.test({
  name: "runs of exploreCancellations() leave nothing behind",
  ignore: !hasGc,
  fn: async () => {
    const replay = "cancel:4";
    const tolerant = () => test().catch(() => {});
    const round = () => exploreCancellations(tolerant, { replay });
    assertLess(await leftBehind(round, LITTLE), LITTLE);
  },
});
