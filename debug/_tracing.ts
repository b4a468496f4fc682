/**
 * Timelines for a debugger that is attached to the program, as the command line's
 * is. Whoever asks for one may go away: it then ends by itself.
 */
import type { Tracing } from "../loop/inspection.ts";
import { hostTimers } from "../platform/timers.ts";
import { Recording } from "./_recording.ts";
import { traceEventsOf } from "./_trace_events.ts";

/** As {@linkcode recordTimeline} has them by default. */
const CAPACITY = 100_000;
const LONG_STEP_MS = 10;

interface Trace {
  readonly recordings: readonly Recording[];
  readonly timer: unknown;
}

const traces = new Map<number, Trace>();
let lastId = 0;

export const tracing: Tracing = {
  start(kernels, ms) {
    const id = ++lastId;
    const recordings = kernels.flatMap(({ loop }) =>
      loop === null ? [] : [new Recording(loop, CAPACITY, LONG_STEP_MS)]
    );
    const timer = hostTimers.setBackgroundTimer(() => end(id), ms);
    traces.set(id, { recordings, timer });
    return id;
  },
  stop(id) {
    const trace = end(id);
    return trace === null
      ? null
      : trace.recordings.map((recording) =>
        JSON.stringify(traceEventsOf(recording, LONG_STEP_MS))
      );
  },
};

function end(id: number): Trace | null {
  const trace = traces.get(id);
  if (trace === undefined) return null;
  traces.delete(id);
  hostTimers.clearTimer(trace.timer as never);
  for (const recording of trace.recordings) recording.stop();
  return trace;
}
