/** A recorder of what tasks do, in the format of Chrome's trace events. */
import { errorLine } from "../_internal/error_text.ts";
import { checkCount } from "../_internal/check.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { oneLine, show } from "../_internal/show.ts";
import type { CancelledError } from "../errors.ts";
import { getEventLoop } from "../loop/ambient.ts";
import { EventLoop } from "../loop/event_loop.ts";
import { futureInternals } from "../loop/future.ts";
import type { Instrument, WaitInfo } from "../loop/hooks.ts";
import { currentTask, type Task } from "../loop/task.ts";
import { Ring } from "./_ring.ts";

/** Options of {@linkcode recordTimeline}. */
export interface TimelineOptions {
  /**
   * The loop to record.
   *
   * @default {the running loop}
   */
  loop?: EventLoop | undefined;
  /**
   * How many tasks, waits, arrows and cancellations to keep: beyond it, the
   * oldest go.
   *
   * @default {100_000}
   */
  capacity?: number | undefined;
}

const TIMELINE_OPTIONS = new OptionNames<TimelineOptions>({
  loop: true,
  capacity: true,
}, { number: "capacity" });

/** One event, as Chrome's trace-event format has it. Times are microseconds. */
export interface TraceEvent {
  /** What is shown: the task's name, or what it waits for. */
  readonly name: string;
  /** Its kind: `task`, `wait`, `spawn`, `cancel` or `__metadata`. */
  readonly cat: string;
  /** Its phase: `X` has a length, `b` and `e`, `s` and `f` are pairs. */
  readonly ph: "X" | "i" | "b" | "e" | "s" | "f" | "M";
  /** When it began, by the loop's time. */
  readonly ts: number;
  /** Always 1: the loop. */
  readonly pid: number;
  /** The lane: one for each task, and 0 for code in no task. */
  readonly tid: number;
  /** How long it lasted, of phase `X`. */
  readonly dur?: number;
  /** What the events of a pair have in common. */
  readonly id?: number;
  /** Of the end of an arrow: it points to the event around it. */
  readonly bp?: "e";
  /** Of an instant: it belongs to its lane. */
  readonly s?: "t";
  /** What else is known. */
  readonly args?: Readonly<Record<string, unknown>>;
}

/** What `chrome://tracing` and Perfetto open, as JSON. */
export interface TraceEvents {
  /** The events, in the order of their times. */
  readonly traceEvents: readonly TraceEvent[];
}

/** A wait that has not ended. */
interface OpenWait {
  readonly lane: number;
  readonly what: string;
  readonly start: number;
  /** It is drawn in the task's lane, where only one can be at a time. */
  readonly isInLane: boolean;
}

/** A task that has not ended. */
interface OpenTask {
  readonly lane: number;
  readonly start: number;
  hasWaitInLane: boolean;
}

/** What is kept together, so that no half of a pair is dropped. */
type Entry = readonly TraceEvent[];

/**
 * A recording, made by {@linkcode recordTimeline}. It ends by `stop()`, or with
 * the block of a `using`.
 *
 * @example The events of a task
 * ```ts
 * import { createTask, recordTimeline, runVirtual, sleep } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const { traceEvents } = await runVirtual(async () => {
 *   using timeline = recordTimeline();
 *   await createTask(() => sleep(5), { name: "nap" });
 *   return timeline.stop();
 * });
 * const nap = traceEvents.find(({ name, ph }) => name === "nap" && ph === "X");
 * assertEquals(nap?.dur, 5000);
 * ```
 */
export class Timeline {
  readonly #loop: EventLoop;
  readonly #ring: Ring<Entry>;
  readonly #tasks = new Map<Task<unknown>, OpenTask>();
  readonly #waits = new Map<WaitInfo, OpenWait>();
  readonly #instrument: Instrument;
  #lanes = 0;
  #pairs = 0;
  #result: TraceEvents | null = null;

  /**
   * Made by {@linkcode recordTimeline}.
   *
   * @internal
   * @ignore
   */
  constructor(loop: EventLoop, capacity: number) {
    this.#loop = loop;
    this.#ring = new Ring(capacity);
    this.#instrument = {
      taskCreated: (task) => this.#taskCreated(task),
      taskEnded: (task) => this.#taskEnded(task, endOf(task)),
      taskCancelRequested: (task, error) => this.#cancelled(task, error),
      waitStarted: (wait) => this.#waitStarted(wait),
      waitEnded: (wait) => this.#waitEnded(wait),
    };
    loop.addInstrument(this.#instrument);
  }

  /**
   * Ends the recording. What has not ended is in it up to now. Stopping again
   * gives the same.
   *
   * @returns The events: `JSON.stringify` makes a file of them.
   */
  stop(): TraceEvents {
    if (this.#result !== null) return this.#result;
    this.#loop.removeInstrument(this.#instrument);
    for (const wait of [...this.#waits.keys()]) this.#waitEnded(wait, true);
    for (const task of [...this.#tasks.keys()]) {
      this.#taskEnded(task, { outcome: "pending" });
    }
    const events = [...this.#ring].flat();
    this.#ring.clear();
    // Of those that begin together, the longer one is around the other.
    events.sort((a, b) => a.ts - b.ts || (b.dur ?? 0) - (a.dur ?? 0));
    this.#result = { traceEvents: [...namesOf(events), ...events] };
    return this.#result;
  }

  /** Ends the recording, as `stop()` does. */
  [Symbol.dispose](): void {
    this.stop();
  }

  #now(): number {
    return this.#loop.time() * 1000;
  }

  #open(task: Task<unknown>): OpenTask {
    let open = this.#tasks.get(task);
    if (open === undefined) {
      const start = this.#now();
      open = { lane: ++this.#lanes, start, hasWaitInLane: false };
      this.#tasks.set(task, open);
    }
    return open;
  }

  #taskCreated(task: Task<unknown>): void {
    const maker = currentTask();
    const makerLane = maker === null ? 0 : this.#tasks.get(maker)?.lane ?? 0;
    const { lane, start } = this.#open(task);
    if (makerLane === 0) return;
    const arrow = { name: "spawn", cat: "spawn", ts: start, pid: 1 };
    const id = ++this.#pairs;
    this.#ring.push([
      { ...arrow, ph: "s", tid: makerLane, id },
      { ...arrow, ph: "f", bp: "e", tid: lane, id },
    ]);
  }

  #taskEnded(task: Task<unknown>, args: Record<string, unknown>): void {
    const { lane, start } = this.#open(task);
    this.#tasks.delete(task);
    this.#ring.push([{
      name: oneLine(task.name),
      cat: "task",
      ph: "X",
      ts: start,
      dur: this.#now() - start,
      pid: 1,
      tid: lane,
      args,
    }]);
  }

  #cancelled(task: Task<unknown>, error: CancelledError): void {
    const { message, by, reason } = error;
    this.#ring.push([{
      name: "cancel",
      cat: "cancel",
      ph: "i",
      s: "t",
      ts: this.#now(),
      pid: 1,
      tid: this.#open(task).lane,
      args: {
        message,
        ...(by === undefined ? undefined : { by }),
        ...(reason === undefined ? undefined : { reason: show(reason) }),
      },
    }]);
  }

  #waitStarted(wait: WaitInfo): void {
    const { task, what } = wait;
    // The waits of code in no task may lie across each other.
    const open = task === null ? null : this.#open(task);
    const isInLane = open !== null && !open.hasWaitInLane;
    if (isInLane) open.hasWaitInLane = true;
    const lane = open?.lane ?? 0;
    this.#waits.set(wait, { lane, what, start: this.#now(), isInLane });
  }

  #waitEnded(wait: WaitInfo, isCut = false): void {
    const open = this.#waits.get(wait);
    if (open === undefined) return;
    this.#waits.delete(wait);
    const { lane, what, start, isInLane } = open;
    const now = this.#now();
    const args = isCut ? { args: { outcome: "pending" } } : undefined;
    const event = { name: oneLine(what), cat: "wait", pid: 1, tid: lane };
    if (isInLane) {
      const task = wait.task === null ? undefined : this.#tasks.get(wait.task);
      if (task !== undefined) task.hasWaitInLane = false;
      const dur = now - start;
      this.#ring.push([{ ...event, ph: "X", ts: start, dur, ...args }]);
      return;
    }
    const id = ++this.#pairs;
    this.#ring.push([
      { ...event, ph: "b", ts: start, id, ...args },
      { ...event, ph: "e", ts: now, id },
    ]);
  }
}

/**
 * Records what the tasks of a loop do, as a timeline that Perfetto and
 * `chrome://tracing` open: a lane for each task with its waits in it, arrows for
 * who made it, cancellations with their reason and who asked. asyncio has none.
 *
 * It records from now on; memory is bounded by `capacity` and by what is
 * pending. Under the virtual clock, times are virtual.
 *
 * @example Cancellations name who asked
 * ```ts
 * import { createTask, recordTimeline, runVirtual, sleep } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const { traceEvents } = await runVirtual(async () => {
 *   using timeline = recordTimeline({ capacity: 1000 });
 *   const task = createTask(() => sleep(60_000));
 *   await sleep(1);
 *   task.cancel("too late");
 *   await task.catch(() => {});
 *   return timeline.stop();
 * });
 * const cancel = traceEvents.find(({ cat }) => cat === "cancel");
 * assertEquals(cancel?.args?.["message"], "too late");
 * ```
 *
 * @param options Which loop, and how many events to keep.
 * @returns The recording; `stop()` gives its events.
 * @throws {TypeError} When `loop` is not an event loop or `capacity` no integer.
 * @throws {RangeError} When `capacity` is less than 1.
 */
export function recordTimeline(options: TimelineOptions = {}): Timeline {
  const action = "record a timeline";
  checkOptions(action, options, TIMELINE_OPTIONS);
  const { capacity = 100_000, loop = getEventLoop() } = options;
  checkCount(action, "capacity", capacity, 1);
  if (!(loop instanceof EventLoop)) {
    throw new TypeError(
      `Cannot ${action} as 'loop' must be an event loop: received ${
        show(loop)
      }`,
    );
  }
  return new Timeline(loop, capacity);
}

/** How a task ended. It does not count as looking at its error. */
function endOf(task: Task<unknown>): Record<string, unknown> {
  if (task.cancelled()) return { outcome: "cancelled" };
  if (futureInternals.state(task) === "finished") {
    return { outcome: "finished" };
  }
  const error = futureInternals.value(task);
  return { outcome: "failed", error: errorLine(error) };
}

/** The events that name the lanes of others. */
function namesOf(events: readonly TraceEvent[]): TraceEvent[] {
  const lane = { cat: "__metadata", ph: "M", ts: 0, pid: 1 } as const;
  const names: TraceEvent[] = [];
  for (const { cat, tid, name } of events) {
    if (cat !== "task") continue;
    names.push({ ...lane, name: "thread_name", tid, args: { name } });
  }
  return names;
}
