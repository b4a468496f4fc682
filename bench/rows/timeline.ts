import type { Load, TimedRow, Work } from "../types.ts";

/**
 * What is most of a program whose tasks have hardly anything to do, beside the same while it is recorded. The memory of
 * the recording is full by the time that it is measured, as it is in a program that runs for a while.
 */
export const timeline: TimedRow = {
  kind: "timed",
  id: "timeline",
  title: "sleep(0), 100 tasks in turn, not recorded",
  size: 50_000,
  python: false,
  targets: [{ peer: "timeline-on", within: 0.15 }],
  notes: { "timeline-on": "the same while recordTimeline() records it" },
  peers: {
    ours: variant(false),
    "timeline-on": variant(true),
  },
};

function variant(isRecorded: boolean): Load<Work> {
  return async () => {
    const { createTask, recordTimeline, sleep } = await import(
      "@asyncio/asyncio"
    );
    const turns = async (count: number) => {
      for (let i = count; i > 0; i--) await sleep(0);
    };
    if (isRecorded) recordTimeline();
    return async (rounds, size) => {
      for (let round = rounds; round > 0; round--) {
        const tasks = Array.from(
          { length: 100 },
          () => createTask(() => turns(size / 100)),
        );
        for (const task of tasks) await task;
      }
    };
  };
}
