/**
 * What a recording has noted, as Chrome's trace events: slices in the lanes of
 * tasks, and arrows between them.
 *
 * Perfetto draws an arrow from slice to slice. So a step of a task, which is the
 * time between two of its waits, is a slice if an arrow begins or ends in it, and
 * if it was long; of the others there are too many.
 */
import { oneLine } from "../_internal/show.ts";
import {
  type Began,
  CALLBACK,
  CANCELLED,
  type Cancelling,
  CREATED,
  DECIDED,
  ENDED,
  GO,
  GO_BESIDE,
  GO_TURN,
  isStepEnd,
  KINDS,
  type Lane,
  LANE_BITS,
  READ,
  type Recording,
  STARTED,
  TURN,
  UNREAD,
  WAIT,
  WAIT_BESIDE,
} from "./_recording.ts";
import { laneNames } from "./_lane_names.ts";
import type { TraceEvent, TraceEvents } from "./_trace_event.ts";

/** An event that is being made. */
type Draft = { -readonly [K in keyof TraceEvent]: TraceEvent[K] };

/** One that may turn out to be of no use. */
interface Item {
  readonly event: Draft;
  isKept: boolean;
}

interface Step extends Item {
  /** It is not known how much of the time was its own. */
  readonly isVague: boolean;
}

/** An arrow that has begun: it ends where the task goes on. */
interface Arrow {
  readonly start: Item;
  readonly from: Step;
}

/** What was drawn of a lane so far. */
interface Drawing {
  readonly lane: Lane;
  readonly slice: Draft | null;
  hasEnded: boolean;
  wait: Draft | null;
  readonly beside: Map<number, Draft>;
  step: Step | null;
  lastStep: Step | null;
  spawn: Arrow | null;
  readonly arrows: Map<number, Arrow>;
}

/** Everything that is still there of a recording. */
export function traceEventsOf(
  recording: Recording,
  longStepMs: number,
): TraceEvents {
  recording.flush();
  return new Picture(recording, longStepMs).finish();
}

class Picture {
  readonly #recording: Recording;
  readonly #longStep: number;
  readonly #items: Item[] = [];
  readonly #drawings = new Map<number, Drawing>();
  /** Whose step is running. */
  #running: Drawing | null = null;
  #pairs = 0;

  constructor(recording: Recording, longStepMs: number) {
    this.#recording = recording;
    this.#longStep = longStepMs * 1000;
    const { count, capacity } = recording;
    const first = Math.max(0, count - capacity);
    let before = micros(recording.start);
    const times = this.#resolveTimes(first, count);
    for (let event = first; event < count; event++) {
      const ts = times.micros[event - first]!;
      this.#draw(event % capacity, ts, {
        before,
        isVague: times.isVague[event - first] === 1,
      });
      before = ts;
    }
  }

  finish(): TraceEvents {
    const { lanes, end, dropped } = this.#recording;
    const ts = micros(end);
    this.#closeStep(ts);
    for (const lane of lanes.values()) {
      if (lane.task !== null || lane.beside !== null) this.#drawOpen(lane, ts);
    }
    const events = this.#items.filter(({ isKept }) => isKept)
      .map(({ event }) => event)
      .sort((a, b) => a.ts - b.ts);
    const used = new Set(events.map(({ tid }) => tid));
    return {
      traceEvents: [...laneNames(lanes, used), ...events],
      displayTimeUnit: "ms",
      otherData: { dropped },
    };
  }

  // -- times ----------------------------------------------------------------

  /** Events whose time was not read are between those for which it was. */
  #resolveTimes(
    first: number,
    end: number,
  ): { micros: Float64Array; isVague: Uint8Array } {
    const { times, heads, capacity, start } = this.#recording;
    const micro = new Float64Array(end - first);
    const isVague = new Uint8Array(end - first);
    let last = first === 0 ? start : UNREAD;
    let from = first;
    for (let event = first; event < end; event++) {
      if ((heads[event % capacity]! & READ) === 0) continue;
      const time = times[event % capacity]!;
      if (last === UNREAD) last = time;
      const span = { from, to: event, start: last, end: time };
      this.#spread(span, micro, first);
      if ((time - last) * 1000 >= this.#longStep) {
        const owners = this.#ownersOf(span, first);
        if (owners.size > 1) {
          isVague.fill(1, from - first, event - first + 1);
          this.#drawVague(span, owners);
        }
      }
      last = time;
      from = event + 1;
    }
    return { micros: micro.fill(micros(last), from - first), isVague };
  }

  #spread(
    { from, to, start, end }: Span,
    micro: Float64Array,
    first: number,
  ): void {
    let total = 0;
    for (let event = from; event <= to; event++) {
      if (this.#takesTime(event, first)) total++;
    }
    let weight = 0;
    for (let event = from; event < to; event++) {
      if (this.#takesTime(event, first)) weight++;
      micro[event - first] = micros(start + (end - start) * weight / total);
    }
    micro[to - first] = micros(end);
  }

  /** Where a step begins, no time has passed since the one before has ended. */
  #takesTime(event: number, first: number): boolean {
    if (!isStepBegin(this.#kind(event)) || event === first) return true;
    const before = this.#kind(event - 1);
    return !isStepEnd(before) && before !== TURN;
  }

  /** The tasks that may have taken the time, by their names. */
  #ownersOf({ from, to }: Span, first: number): Map<number, string> {
    const { heads, others, lanes, capacity } = this.#recording;
    const owners = new Map<number, string>();
    for (let event = from; event <= to; event++) {
      if (!this.#takesTime(event, first)) continue;
      const kind = this.#kind(event);
      // The end of a sleep(0) is the end of the step before, too.
      const at = (isStepBegin(kind) ? event - 1 : event) % capacity;
      const id = kind === DECIDED || kind === CREATED
        ? others[at]!
        : heads[at]! >>> LANE_BITS;
      const lane = lanes.get(id);
      if (lane !== undefined && event > first) owners.set(id, lane.title);
    }
    return owners;
  }

  /** Some steps have taken long together, of which one was long. */
  #drawVague({ start, end }: Span, owners: Map<number, string>): void {
    this.#push({
      ...LONG_STEP,
      ph: "X",
      ts: micros(start),
      dur: between(micros(start), micros(end)),
      tid: 0,
      args: { oneOf: [...owners.values()] },
    });
  }

  #kind(event: number): number {
    const { heads, capacity } = this.#recording;
    return heads[event % capacity]! & KINDS;
  }

  // -- events ---------------------------------------------------------------

  #draw(
    slot: number,
    ts: number,
    { before, isVague }: { before: number; isVague: boolean },
  ): void {
    const { heads, others, notes, lanes } = this.#recording;
    const head = heads[slot]!;
    const lane = lanes.get(head >>> LANE_BITS);
    if (lane === undefined) return;
    const other = others[slot]!;
    const note = notes[slot];
    switch (head & KINDS) {
      case CREATED:
        return this.#drawCreated(this.#drawing(lane), other, ts);
      case STARTED:
        return this.#drawStarted(this.#drawing(lane), ts, isVague);
      case ENDED:
        return this.#drawEnded(this.#drawing(lane), ts);
      case WAIT:
      case WAIT_BESIDE:
        return this.#drawWait(this.#drawing(lane), other, ts, note);
      case GO:
      case GO_BESIDE:
        return this.#drawGo(this.#drawing(lane), other, ts, {
          began: note as Began | null,
          isVague,
        });
      case GO_TURN:
        return this.#drawTurn(this.#drawing(lane), ts, isVague);
      case DECIDED:
        return this.#drawDecided(
          this.#drawing(lane),
          other,
          ts,
          note as number,
        );
      case CANCELLED:
        return this.#drawCancelled(this.#drawing(lane), ts, note as Cancelling);
      case CALLBACK:
        return this.#drawCallback(before, ts, isVague ? null : note);
      case TURN:
        return this.#closeStep(ts);
    }
  }

  #drawCreated(drawing: Drawing, maker: number, ts: number): void {
    const lane = this.#recording.lanes.get(maker);
    if (maker === 0 || lane === undefined) return;
    drawing.spawn = this.#beginArrow(this.#drawing(lane), "spawn", ts);
  }

  #drawStarted(drawing: Drawing, ts: number, isVague: boolean): void {
    this.#openStep(drawing, ts, isVague);
    this.#endArrow(drawing.spawn, drawing, ts);
    drawing.spawn = null;
  }

  #drawEnded(drawing: Drawing, ts: number): void {
    if (this.#running === drawing) this.#closeStep(ts);
    if (drawing.wait !== null) endSlice(drawing.wait, ts);
    // What goes on behind the end of its task is drawn up to there.
    for (const wait of drawing.beside.values()) this.#endWait(wait, ts);
    drawing.beside.clear();
    drawing.wait = null;
    drawing.hasEnded = true;
    const { slice, lane: { outcome, error } } = drawing;
    if (outcome === "failed") {
      const name = error;
      this.#push({ ...INSTANT, name, cat: "error", ts, tid: drawing.lane.id });
    }
    if (slice === null) return;
    endSlice(slice, ts);
    slice.args = outcome === "failed" ? { outcome, error } : { outcome };
  }

  #drawWait(drawing: Drawing, id: number, ts: number, what: unknown): void {
    if (this.#running === drawing) this.#closeStep(ts);
    const wait = this.#pushWait(drawing, id, ts, what as string | null);
    if (id === 0) drawing.wait = wait;
    else drawing.beside.set(id, wait);
  }

  #drawGo(
    drawing: Drawing,
    id: number,
    ts: number,
    { began, isVague }: { began: Began | null; isVague: boolean },
  ): void {
    if (began !== null) {
      const { what, since } = began;
      const wait = this.#pushWait(drawing, id, micros(since), what);
      this.#endWait(wait, ts);
    } else {
      const wait = id === 0 ? drawing.wait : drawing.beside.get(id);
      if (wait) this.#endWait(wait, ts);
    }
    if (id === 0) drawing.wait = null;
    else drawing.beside.delete(id);
    const arrow = drawing.arrows.get(id) ?? null;
    drawing.arrows.delete(id);
    this.#openStep(drawing, ts, isVague);
    this.#endArrow(arrow, drawing, ts);
  }

  /** A \`sleep(0)\`, which began when the step before had ended. */
  #drawTurn(drawing: Drawing, ts: number, isVague: boolean): void {
    this.#closeStep(ts);
    const { lastStep, lane } = drawing;
    if (drawing.wait === null && lastStep !== null && lane.id !== 0) {
      const since = endOf(lastStep.event);
      this.#endWait(this.#pushWait(drawing, 0, since, "sleep(0)"), ts);
    }
    this.#openStep(drawing, ts, isVague);
  }

  #drawDecided(
    drawing: Drawing,
    waker: number,
    ts: number,
    id: number,
  ): void {
    const lane = this.#recording.lanes.get(waker);
    if (lane === undefined) return;
    const arrow = this.#beginArrow(this.#drawing(lane), "wake", ts);
    if (arrow === null) drawing.arrows.delete(id);
    else drawing.arrows.set(id, arrow);
  }

  #drawCancelled(drawing: Drawing, ts: number, args: Cancelling): void {
    const tid = drawing.lane.id;
    this.#push({
      ...INSTANT,
      name: "cancel",
      cat: "cancel",
      ts,
      tid,
      args: { ...args },
    });
  }

  #drawCallback(before: number, ts: number, what: unknown): void {
    this.#closeStep(ts);
    if (typeof what !== "string" || ts - before < this.#longStep) return;
    this.#push({
      ...LONG_STEP,
      ph: "X",
      ts: before,
      dur: between(before, ts),
      tid: 0,
      args: { callback: oneLine(what) },
    });
  }

  // -- waits, steps, arrows -------------------------------------------------

  #pushWait(
    { lane }: Drawing,
    id: number,
    ts: number,
    what: string | null,
  ): Draft {
    // One that has not ended, and that nobody has looked at.
    const name = oneLine(what ?? lane.what ?? "a wait");
    const wait = { name, cat: "wait", ts, pid: 1, tid: lane.id } as const;
    return this.#push(
      id === 0 && lane.id !== 0
        ? { ...wait, ph: "X", dur: 0 }
        : { ...wait, ph: "b", id: ++this.#pairs },
    ).event;
  }

  #endWait(wait: Draft, ts: number): void {
    if (wait.ph === "X") return endSlice(wait, ts);
    const { name, cat, pid, tid, id } = wait;
    this.#push({ name, cat, ph: "e", ts, pid, tid, id: id! });
  }

  #openStep(drawing: Drawing, ts: number, isVague: boolean): void {
    this.#closeStep(ts);
    if (drawing.lane.id === 0) return;
    const step = this.#step(drawing, ts, isVague);
    drawing.step = step;
    this.#running = drawing;
  }

  #step({ lane }: Drawing, ts: number, isVague: boolean): Step {
    const event: Draft = { ...STEP, ph: "X", ts, dur: 0, tid: lane.id };
    const step = { event, isKept: false, isVague };
    this.#items.push(step);
    return step;
  }

  #closeStep(ts: number): void {
    const drawing = this.#running;
    if (drawing === null) return;
    this.#running = null;
    const step = drawing.step!;
    drawing.step = null;
    drawing.lastStep = step;
    endSlice(step.event, ts);
    if (step.isVague || step.event.dur! < this.#longStep) return;
    step.isKept = true;
    Object.assign(step.event, LONG_STEP);
  }

  #beginArrow(from: Drawing, name: string, ts: number): Arrow | null {
    if (from.lane.id === 0) return null;
    const step = from.step ?? (from.hasEnded
      ? from.lastStep
      // Code behind an await of another library's, which no step has begun.
      : this.#step(from, ts, true));
    if (step === null) return null;
    const { event } = step;
    const at = from.hasEnded ? endOf(event) : ts;
    const tid = from.lane.id;
    const start: Item = {
      event: { name, cat: name, ph: "s", ts: at, pid: 1, tid, id: 0 },
      isKept: false,
    };
    this.#items.push(start);
    return { start, from: step };
  }

  #endArrow(arrow: Arrow | null, { step, lane }: Drawing, ts: number): void {
    if (arrow === null || step === null) return;
    const { start, from } = arrow;
    start.isKept = from.isKept = step.isKept = true;
    const id = start.event.id = ++this.#pairs;
    const { name, cat } = start.event;
    this.#push({ name, cat, ph: "f", bp: "e", ts, pid: 1, tid: lane.id, id });
  }

  #drawing(lane: Lane): Drawing {
    let drawing = this.#drawings.get(lane.id);
    if (drawing === undefined) {
      drawing = {
        lane,
        slice: lane.id === 0 ? null : this.#push({
          name: lane.title,
          cat: "task",
          ph: "X",
          ts: micros(lane.start),
          dur: 0,
          pid: 1,
          tid: lane.id,
        }).event,
        hasEnded: false,
        wait: null,
        beside: new Map(),
        step: null,
        lastStep: null,
        spawn: null,
        arrows: new Map(),
      };
      this.#drawings.set(lane.id, drawing);
    }
    return drawing;
  }

  /** What has not ended is drawn up to now. */
  #drawOpen(lane: Lane, ts: number): void {
    const drawing = this.#drawing(lane);
    const args = { outcome: "pending" };
    const waits: Draft[] = [];
    // Their beginning may be older than the oldest event.
    if (lane.isWaiting && drawing.wait === null && lane.what !== null) {
      waits.push(this.#pushWait(drawing, 0, micros(lane.since), lane.what));
    } else if (drawing.wait !== null) waits.push(drawing.wait);
    for (const { id, since, what } of lane.beside?.values() ?? []) {
      const drawn = drawing.beside.get(id);
      if (drawn !== undefined) {
        if (what !== null) drawn.name = oneLine(what);
        waits.push(drawn);
      } else if (what !== null) {
        waits.push(this.#pushWait(drawing, id, micros(since), what));
      }
    }
    for (const wait of waits) {
      this.#endWait(wait, ts);
      wait.args = args;
    }
    if (drawing.slice === null) return;
    endSlice(drawing.slice, ts);
    drawing.slice.args = args;
  }

  #push(event: Draft): Item {
    const item = { event, isKept: true };
    this.#items.push(item);
    return item;
  }
}

interface Span {
  readonly from: number;
  readonly to: number;
  readonly start: number;
  readonly end: number;
}

const STEP = { name: "step", cat: "step", pid: 1 } as const;
const LONG_STEP = { name: "long step", cat: "long_step", pid: 1 } as const;
const INSTANT = { ph: "i", s: "t", pid: 1 } as const;

function isStepBegin(kind: number): boolean {
  return kind === STARTED || kind === GO || kind === GO_BESIDE ||
    kind === GO_TURN;
}

/** Microseconds, to the nanosecond. */
function micros(ms: number): number {
  return Math.round(ms * 1e6) / 1000;
}

function endOf({ ts, dur = 0 }: TraceEvent): number {
  return Math.round((ts + dur) * 1000) / 1000;
}

function between(start: number, end: number): number {
  return Math.round((end - start) * 1000) / 1000;
}

function endSlice(slice: Draft, ts: number): void {
  slice.dur = between(slice.ts, Math.max(slice.ts, ts));
}
