/** A recorder of what tasks do, in the format of Chrome's trace events. */
import { refusedNew } from "../_internal/made_by.ts";
import { checkDuration, checkInteger } from "../_internal/check.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { show } from "../_internal/show.ts";
import { getEventLoop } from "../loop/ambient.ts";
import { EventLoop } from "../loop/event_loop.ts";
import { provideTracing } from "../loop/inspection.ts";
import { Recording } from "./_recording.ts";
import type { TraceEvents } from "./_trace_event.ts";
import { traceEventsOf } from "./_trace_events.ts";
import { tracing } from "./_tracing.ts";

/** Options of {@linkcode recordTimeline}. */
export interface TimelineOptions {
  /**
   * The loop to record.
   *
   * @default {the running loop}
   */
  loop?: EventLoop | undefined;
  /**
   * How many events to keep: beyond it, the oldest go. A wait is two, its
   * beginning and its end. One takes some 20 bytes.
   *
   * @default {100_000}
   */
  capacity?: number | undefined;
  /**
   * From how many milliseconds on a step that held the loop is shown as a long
   * one.
   *
   * @default {10}
   */
  longStepMs?: number | undefined;
}

const TIMELINE_OPTIONS = new OptionNames<TimelineOptions>({
  loop: true,
  capacity: true,
  longStepMs: true,
}, { number: "capacity" });

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
  readonly #recording: Recording;
  readonly #longStepMs: number;
  #result: TraceEvents | null = null;

  /**
   * Made by {@linkcode recordTimeline}.
   *
   * @internal
   * @ignore
   */
  constructor(loop: EventLoop, capacity: number, longStepMs: number) {
    if (!(loop instanceof EventLoop)) {
      throw refusedNew(
        "a Timeline",
        "it belongs to a recording",
        "recordTimeline()",
      );
    }
    this.#recording = new Recording(loop, capacity, longStepMs);
    this.#longStepMs = longStepMs;
  }

  /** How many events were dropped so far, as there was no room for more. */
  get dropped(): number {
    return this.#recording.dropped;
  }

  /**
   * Ends the recording. What has not ended is in it up to now. Stopping again
   * gives the same.
   *
   * @returns The events: `JSON.stringify` makes a file of them.
   */
  stop(): TraceEvents {
    if (this.#result === null) {
      this.#recording.stop();
      this.#result = traceEventsOf(this.#recording, this.#longStepMs);
    }
    return this.#result;
  }

  /** Ends the recording, as `stop()` does. */
  [Symbol.dispose](): void {
    this.#recording.stop();
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
 * @throws {RangeError} When `capacity` is less than 1, or `Infinity`.
 */
export function recordTimeline(options: TimelineOptions = {}): Timeline {
  const action = "record a timeline";
  checkOptions(action, options, TIMELINE_OPTIONS);
  const { capacity = 100_000, longStepMs = 10, loop = getEventLoop() } =
    options;
  checkInteger(action, "capacity", capacity, 1);
  checkDuration(action, "longStepMs", longStepMs);
  if (!(loop instanceof EventLoop)) {
    throw new TypeError(
      `Cannot ${action} as 'loop' must be an event loop: received ${
        show(loop)
      }`,
    );
  }
  return new Timeline(loop, capacity, longStepMs);
}

// deno-lint-ignore asyncio/no-import-effects -- for debuggers; the loop cannot know of this module
provideTracing(tracing);
