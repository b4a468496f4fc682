import { check, effect, effection, limits, ours } from "../sides.ts";
import type { TimedRow } from "../types.ts";

/** Many wait, the last one ends after a switch: the others are called off and waited for. */
export function raceMany(size: number): TimedRow {
  return {
    kind: "timed",
    id: `race_many_${size}`,
    title: `race of ${size.toLocaleString("en")}, each contender`,
    size,
    ...limits(size, { effection: 10_000, effect: 10_000 }),
    python: true,
    guests: ["anyio"],
    targets: [
      { peer: "anyio", atLeast: 1 },
      { peer: "uvloop", atLeast: 1 },
      { peer: "effection", atLeast: 1 },
    ],
    notes: {
      asyncio: "tasks, wait FIRST_COMPLETED, cancel, gather",
      uvloop: "tasks, wait FIRST_COMPLETED, cancel, gather",
      anyio: "a task group that the first end cancels",
      effection: "race() of operations; 10,000 at most",
      effect: "Effect.raceAllFirst; 10,000 at most",
    },
    peers: {
      ours: ours(({ Event, race, sleep }) => async (size) => {
        const never = new Event();
        const loser = () => never.wait();
        const losers = Array.from({ length: size - 1 }, () => loser);
        check(Number(await race([...losers, () => sleep(0, size)])), size);
      }),
      effection: effection(({ race, suspend, until }) =>
        function* (size) {
          const losers = Array.from({ length: size - 1 }, () => suspend());
          const winner = until(Promise.resolve(size));
          check(Number(yield* race([...losers, winner])), size);
        }
      ),
      effect: effect(({ Effect }) => (size) =>
        Effect.gen(function* () {
          const losers = Array.from({ length: size - 1 }, () => Effect.never);
          const winner = Effect.as(Effect.yieldNow, size);
          check(yield* Effect.raceAllFirst([...losers, winner]), size);
        })
      ),
    },
  };
}
