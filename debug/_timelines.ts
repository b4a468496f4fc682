/**
 * The timeline of the last seconds, for pages that show it. A loop is recorded
 * only while there are some.
 */
import type { LoopKernel } from "../loop/kernel.ts";
import type { HttpBody, HttpOutput } from "../platform/types/http.ts";
import { Audience } from "./_audience.ts";
import { Recording } from "./_recording.ts";
import type { TraceEvent } from "./_trace_event.ts";
import { traceEventsOf } from "./_trace_events.ts";

/** How much of it a page shows, in milliseconds. */
const SHOWN_MS = 10_000;
const CAPACITY = 30_000;
const LONG_STEP_MS = 10;
/** What a page can show at once; of more, the longest. */
const MOST_SLICES = 2000;
const MOST_ARROWS = 500;
const MOST_LANES = 500;

/** A stretch of time in a lane: a wait, a step, or an instant. */
type Slice = readonly [
  lane: number,
  kind: string,
  name: string,
  start: number,
  length: number,
];

type Arrow = readonly [from: number, start: number, to: number, end: number];

/** The last seconds of a loop. Times are milliseconds, by the loop's time. */
export interface LastSeconds {
  readonly now: number;
  readonly span: number;
  /** The lanes in their order, with their names. */
  readonly lanes: readonly (readonly [id: number, name: string])[];
  readonly slices: readonly Slice[];
  readonly arrows: readonly Arrow[];
  /** How many slices and lanes there are that are left out. */
  readonly left: number;
}

export class Timelines {
  readonly #kernel: LoopKernel;
  readonly #audience = new Audience<HttpOutput>(
    (pages) => this.#tell(pages),
    () => {
      this.#recording?.stop();
      this.#recording = null;
    },
  );
  #recording: Recording | null = null;

  constructor(kernel: LoopKernel) {
    this.#kernel = kernel;
  }

  get isFull(): boolean {
    return this.#audience.isFull;
  }

  /** Tells a page from now on. */
  open(output: HttpOutput): HttpBody {
    this.#recording ??= new Recording(
      this.#kernel.loop,
      CAPACITY,
      LONG_STEP_MS,
    );
    return this.#audience.add(output);
  }

  /** Records no more. */
  stop(): void {
    this.#audience.stop();
  }

  #tell(pages: Iterable<HttpOutput>): void {
    if (this.#recording === null) return;
    const text = JSON.stringify(lastSeconds(this.#recording));
    for (const page of pages) {
      // It is told the more as soon as it has caught up.
      if (!page.isBehind) page.write(`data: ${text}\n\n`);
    }
  }
}

/** The end of a recording, as far as a page can show it. */
export function lastSeconds(recording: Recording): LastSeconds {
  const { traceEvents } = traceEventsOf(recording, LONG_STEP_MS);
  const now = recording.end;
  const from = now - SHOWN_MS;
  const recent = traceEvents.filter(({ ts, dur = 0 }) =>
    (ts + dur) / 1000 >= from
  );
  const all = recent.filter(isShown);
  const longest = all.length <= MOST_SLICES
    ? all
    : all.toSorted((a, b) => lengthOf(b) - lengthOf(a)).slice(0, MOST_SLICES);
  const used = new Set(longest.map(({ tid }) => tid));
  const named = traceEvents.filter(({ name, tid }) =>
    name === "thread_name" && used.has(tid)
  );
  const lanes = named.slice(0, MOST_LANES).map(({ tid, args }) =>
    [tid, String(args?.["name"])] as const
  );
  const shown = new Set(lanes.map(([id]) => id));
  const slices = longest.filter(({ tid }) => shown.has(tid)).map(sliceOf)
    .toSorted((a, b) => a[3] - b[3]);
  return {
    now,
    span: SHOWN_MS,
    lanes,
    slices,
    arrows: arrowsIn(recent, shown),
    left: all.length - slices.length,
  };
}

function isShown({ ph, cat }: TraceEvent): boolean {
  return ph === "i" || ph === "X" && cat !== "step";
}

/** What happened in an instant is shown in any case. */
function lengthOf({ ph, dur = 0 }: TraceEvent): number {
  return ph === "i" ? Infinity : dur;
}

function sliceOf({ tid, cat, name, ts, dur = 0, args }: TraceEvent): Slice {
  const more = Object.entries(args ?? {}).map(([key, value]) =>
    `${key} ${value}`
  );
  const text = [name, ...more].join(", ");
  return [tid, cat, text, ts / 1000, dur / 1000];
}

function arrowsIn(
  events: readonly TraceEvent[],
  shown: ReadonlySet<number>,
): Arrow[] {
  const starts = new Map<number, TraceEvent>();
  const arrows: Arrow[] = [];
  for (const event of events) {
    const { ph, id, tid, ts } = event;
    if (ph === "s") starts.set(id!, event);
    const start = ph === "f" ? starts.get(id!) : undefined;
    if (start === undefined || !shown.has(tid) || !shown.has(start.tid)) {
      continue;
    }
    arrows.push([start.tid, start.ts / 1000, tid, ts / 1000]);
  }
  return arrows.slice(-MOST_ARROWS);
}
