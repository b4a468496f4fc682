import { bare, check, effect, effection, ours } from "../sides.ts";
import { atLeast } from "../targets.ts";
import type { TimedRow } from "../types.ts";

/** Wait for the first of a thousand, which are made for it and called off after it. */
export const waitFirst: TimedRow = {
  kind: "timed",
  id: "wait_first",
  title: "wait for the first of 1,000, each",
  size: 1000,
  python: true,
  targets: atLeast({ uvloop: 1, effection: 1, effect: 1 }),
  notes: {
    ours: "wait of futures, FIRST_COMPLETED",
    bare: "Promise.race: nothing is called off",
    effection: "race() of operations",
    effect: "Effect.raceAllFirst of effects",
  },
  peers: {
    ours: ours(({ getRunningLoop, wait }) => async (size) => {
      const loop = getRunningLoop();
      const futures = Array.from(
        { length: size },
        () => loop.createFuture<void>(),
      );
      loop.callSoon(() => futures[0]?.setResult());
      const { pending } = await wait(futures, {
        returnWhen: "FIRST_COMPLETED",
      });
      for (const future of pending) future.cancel();
      check(pending.size, size - 1);
    }),
    bare: bare(async (size) => {
      const first: { resolve?: () => void } = {};
      const promises = Array.from(
        { length: size },
        (_, i) =>
          new Promise<void>((resolve) => {
            if (i === 0) first.resolve = resolve;
          }),
      );
      queueMicrotask(() => first.resolve?.());
      await Promise.race(promises);
    }),
    effection: effection(({ race, suspend, until }) =>
      function* (size) {
        yield* race(
          Array.from(
            { length: size },
            (_, i) => i === 0 ? until(Promise.resolve()) : suspend(),
          ),
        );
      }
    ),
    effect: effect(({ Effect }) => (size) =>
      Effect.raceAllFirst(
        Array.from(
          { length: size },
          (_, i) => i === 0 ? Effect.yieldNow : Effect.never,
        ),
      )
    ),
  },
};
