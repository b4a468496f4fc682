import type { TimedRow } from "../types.ts";

/** Schedule a thousand callbacks and wait until the last has run. */
export const callSoon: TimedRow = {
  kind: "timed",
  id: "call_soon",
  title: "callSoon, callbacks in batches of 1,000",
  size: 1000,
  python: true,
  targets: [{ peer: "uvloop", atLeast: 1 }],
  notes: {
    bare: "queueMicrotask",
    effection: "left out: it has no loop to call back from",
    effect: "left out: it has no loop to call back from",
  },
  peers: {
    async ours() {
      const { getRunningLoop, run } = await import("@asyncio/asyncio");
      return (rounds, size) =>
        run(async () => {
          const loop = getRunningLoop();
          for (let round = rounds; round > 0; round--) {
            const done = loop.createFuture<void>();
            let left = size;
            const callback = () => {
              if (--left === 0) done.setResult(undefined);
            };
            for (let i = size; i > 0; i--) loop.callSoon(callback);
            await done;
          }
        });
    },
    bare() {
      return Promise.resolve(async (rounds, size) => {
        for (let round = rounds; round > 0; round--) {
          await new Promise<void>((resolve) => {
            let left = size;
            const callback = () => {
              if (--left === 0) resolve();
            };
            for (let i = size; i > 0; i--) queueMicrotask(callback);
          });
        }
      });
    },
  },
};
