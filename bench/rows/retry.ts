import { effect, ours, pRetry } from "../sides.ts";
import { atLeast } from "../targets.ts";
import type { TimedRow } from "../types.ts";

const work = async () => {};

/** Nearly all calls there are: the first attempt succeeds. */
export const retrySuccess: TimedRow = {
  kind: "timed",
  id: "retry_success",
  title: "retry that succeeds at once",
  size: 100,
  python: false,
  targets: atLeast({ "p-retry": 1, effect: 1 }),
  notes: { effect: "Effect.retry of Effect.promise, five times" },
  peers: {
    ours: ours(({ retry }) => async (size) => {
      const options = { attempts: 5, delay: 100, jitter: 0.5 };
      for (let i = size; i > 0; i--) await retry(work, options);
    }),
    "p-retry": pRetry((pRetry) => async (size) => {
      const options = { retries: 4, minTimeout: 100, randomize: true };
      for (let i = size; i > 0; i--) await pRetry(work, options);
    }),
    effect: effect(({ Effect }) => (size) =>
      Effect.gen(function* () {
        const attempt = Effect.promise(work);
        for (let i = size; i > 0; i--) {
          yield* Effect.retry(attempt, { times: 4 });
        }
      })
    ),
  },
};
