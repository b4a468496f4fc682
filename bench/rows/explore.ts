import type { Load, TimedRow, Work } from "../types.ts";

const TASKS = 20;

/**
 * A test of twenty tasks that sleep, share a lock and put into a queue, in virtual time, beside the same in another
 * order each time. The search must not cost more than half of the test itself.
 */
export const explore: TimedRow = {
  kind: "timed",
  id: "explore",
  title: `a test of ${TASKS} tasks in virtual time`,
  size: 50,
  python: false,
  targets: [
    { peer: "explored", within: 0.5 },
    { peer: "explored-pct", within: 0.5 },
  ],
  notes: {
    "explored": "the same in orders by chance",
    "explored-pct": "the same in orders by priorities",
  },
  peers: {
    ours: variant(null),
    "explored": variant("random"),
    "explored-pct": variant("pct"),
  },
};

function variant(strategy: "random" | "pct" | null): Load<Work> {
  return async () => {
    const { exploreSchedules, gather, Lock, Queue, runVirtual, sleep } =
      await import("@asyncio/asyncio");
    const test = async () => {
      const lock = new Lock();
      const queue = new Queue<number>();
      const works = Array.from({ length: TASKS }, (_, number) => async () => {
        for (let round = 1; round <= 3; round++) {
          await sleep(1 + number % 4);
          await lock.with(() => sleep(1));
          await queue.put(round);
        }
      });
      await gather(works);
    };
    return async (rounds, size) => {
      const runs = rounds * size;
      if (strategy === null) {
        for (let left = runs; left > 0; left--) await runVirtual(test);
      } else await exploreSchedules(test, { strategy, runs });
    };
  };
}
