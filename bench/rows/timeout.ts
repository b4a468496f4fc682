import { bare, effect, effection, ours } from "../sides.ts";
import { atLeast } from "../targets.ts";
import type { TimedRow } from "../types.ts";

const MINUTE = 60_000;

/** Nearly all timeouts there are: the work is over long before. */
export const timeoutUnfired: TimedRow = {
  kind: "timed",
  id: "timeout_unfired",
  title: "timeout that does not fire",
  size: 100,
  python: true,
  targets: atLeast({ uvloop: 1, effection: 1, effect: 1 }),
  notes: {
    bare: "Promise.race with a setTimeout, which is cleared",
    effection: "race() with a sleep",
    effect: "Effect.timeout",
  },
  peers: {
    ours: ours(({ timeout }) => async (size) => {
      const work = async () => {};
      for (let i = size; i > 0; i--) await timeout(MINUTE, work);
    }),
    bare: bare(async (size) => {
      const work = async () => {};
      for (let i = size; i > 0; i--) {
        let timer;
        const limit = new Promise<void>((_resolve, reject) => {
          timer = setTimeout(reject, MINUTE);
        });
        await Promise.race([work(), limit]);
        clearTimeout(timer);
      }
    }),
    effection: effection(({ race, sleep }) =>
      function* (size) {
        const work = function* () {};
        for (let i = size; i > 0; i--) yield* race([work(), sleep(MINUTE)]);
      }
    ),
    effect: effect(({ Effect }) => (size) =>
      Effect.gen(function* () {
        const work = Effect.gen(function* () {});
        for (let i = size; i > 0; i--) yield* Effect.timeout(work, MINUTE);
      })
    ),
  },
};
