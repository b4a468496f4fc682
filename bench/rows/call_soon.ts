import { bare, ours } from "../sides.ts";
import { atLeast } from "../targets.ts";
import type { TimedRow } from "../types.ts";

/** Schedule a thousand callbacks and wait until the last has run. */
export const callSoon: TimedRow = {
  kind: "timed",
  id: "call_soon",
  title: "callSoon, callbacks in batches of 1,000",
  size: 1000,
  python: true,
  targets: atLeast({ uvloop: 1 }),
  notes: {
    bare: "queueMicrotask",
    effection: "left out: it has no loop to call back from",
    effect: "left out: it has no loop to call back from",
  },
  peers: {
    ours: ours(({ getRunningLoop }) => async (size) => {
      const loop = getRunningLoop();
      const done = loop.createFuture<void>();
      let left = size;
      const callback = () => {
        if (--left === 0) done.setResult(undefined);
      };
      for (let i = size; i > 0; i--) loop.callSoon(callback);
      await done;
    }),
    bare: bare((size) =>
      new Promise<void>((resolve) => {
        let left = size;
        const callback = () => {
          if (--left === 0) resolve();
        };
        for (let i = size; i > 0; i--) queueMicrotask(callback);
      })
    ),
  },
};
