import { check, effect, limits, ours, pLimit } from "../sides.ts";
import type { TimedRow } from "../types.ts";

const LIMIT = 10;

/** A group is given all its tasks at once, each of a switch, and runs ten at a time. */
export function groupLimit(size: number): TimedRow {
  return {
    kind: "timed",
    id: `group_limit_${size}`,
    title: `TaskGroup of ${size.toLocaleString("en")}, 10 at a time, each`,
    size,
    ...limits(size),
    python: true,
    guests: ["anyio"],
    targets: [
      { peer: "anyio", atLeast: 1 },
    ],
    notes: {
      asyncio: "a TaskGroup, each task in an asyncio.Semaphore(10)",
      uvloop: "a TaskGroup, each task in an asyncio.Semaphore(10)",
      anyio: "a task group, each task in a CapacityLimiter(10)",
      "p-limit": "Promise.all of limit(…), each of an await",
      effect: "Effect.forEach with concurrency, nothing kept",
    },
    peers: {
      ours: ours(({ sleep, taskGroup }) => async (size) => {
        let done = 0;
        await taskGroup((group) => {
          for (let i = size; i > 0; i--) {
            group.createTask(async () => {
              await sleep(0);
              done++;
            });
          }
        }, { limit: LIMIT });
        check(done, size);
      }),
      "p-limit": pLimit((pLimit) => async (size) => {
        let done = 0;
        const limit = pLimit(LIMIT);
        await Promise.all(Array.from({ length: size }, () =>
          limit(async () => {
            await null;
            done++;
          })));
        check(done, size);
      }),
      effect: effect(({ Effect }) => (size) =>
        Effect.gen(function* () {
          let done = 0;
          yield* Effect.forEach(
            Array.from({ length: size }, (_, i) => i),
            () => Effect.map(Effect.yieldNow, () => done++),
            { concurrency: LIMIT, discard: true },
          );
          check(done, size);
        })
      ),
    },
  };
}
