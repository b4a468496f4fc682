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

/** A run may leave so many bytes, which are the engine's and not the library's. */
const LITTLE = 40;

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
