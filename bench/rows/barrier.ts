import { ours } from "../sides.ts";
import { atLeast } from "../targets.ts";
import type { TimedRow } from "../types.ts";

const PARTIES = 10;

/** Ten tasks meet at a barrier, again and again. */
export const barrier: TimedRow = {
  kind: "timed",
  id: "barrier",
  title: "barrier of 10 tasks, each task",
  size: 1000,
  python: true,
  targets: atLeast({ uvloop: 1 }),
  notes: {
    effection: "left out: it has no barrier",
    effect: "left out: it has no barrier",
  },
  peers: {
    ours: ours(({ Barrier, createTask, gather }) => async (size) => {
      const barrier = new Barrier(PARTIES);
      const party = async () => {
        for (let i = size / PARTIES; i > 0; i--) await barrier.wait();
      };
      await gather(Array.from({ length: PARTIES }, () => createTask(party)));
    }),
  },
};
