import { ours } from "../sides.ts";
import { atLeast } from "../targets.ts";
import type { TimedRow } from "../types.ts";

/** Two tasks wake one another through a condition. */
export const condition: TimedRow = {
  kind: "timed",
  id: "condition",
  title: "condition, two tasks in turn",
  size: 1000,
  python: true,
  targets: atLeast({ uvloop: 1 }),
  notes: {
    effection: "left out: it has no condition",
    effect: "left out: it has no condition",
  },
  peers: {
    ours: ours(({ Condition, gather }) => async (size) => {
      const condition = new Condition();
      let turn = 0;
      const player = async (me: number) => {
        await condition.acquire();
        for (let i = size / 2; i > 0; i--) {
          while (turn !== me) await condition.wait();
          turn = 1 - me;
          condition.notify();
        }
        condition.release();
      };
      await gather([() => player(0), () => player(1)]);
    }),
  },
};
