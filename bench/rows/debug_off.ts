import type { Load, TimedRow, Work } from "../types.ts";

/**
 * A bit of everything (a task, a switch, a queue item, a timer) on a loop whose debug mode was never touched, beside
 * one on which it was on for a while and then switched off, and one on which it stays on. The first two must not
 * differ: switched off, debug mode leaves nothing behind.
 */
export const debugOff: TimedRow = {
  kind: "timed",
  id: "debug_off",
  title: "task, switch, queue item and timer, debug off",
  size: 100,
  python: false,
  targets: [{ peer: "debug-off", within: 0.05 }],
  notes: {
    "debug-off": "the same after debug mode was on for 2,000 turns, and off",
    "debug-on": "the same in debug mode, for comparison",
  },
  peers: {
    ours: variant("never"),
    "debug-off": variant("was on"),
    "debug-on": variant("on"),
  },
};

function variant(debug: "never" | "was on" | "on"): Load<Work> {
  return async () => {
    const { createTask, getRunningLoop, newEventLoop, Queue, sleep } =
      await import(
        "@asyncio/asyncio"
      );
    async function turns(count: number): Promise<void> {
      const loop = getRunningLoop();
      const queue = new Queue<number>();
      const callback = () => {};
      for (let i = count; i > 0; i--) {
        const task = createTask(async () => await queue.get());
        const timer = loop.callLater(60_000, callback);
        await sleep(0);
        await queue.put(i);
        await task;
        timer.cancel();
      }
    }
    // One loop for all samples, switched before the first: none of this is timed. All variants do the same work there,
    // so that none is compiled better than another.
    const loop = newEventLoop();
    if (debug !== "never") loop.setDebug(true);
    await loop.runUntilComplete(() => turns(2000));
    if (debug === "was on") loop.setDebug(false);
    if (debug !== "on") await loop.runUntilComplete(() => turns(100_000));
    return (rounds, size) => loop.runUntilComplete(() => turns(rounds * size));
  };
}
