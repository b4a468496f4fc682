/**
 * What a debugger that is attached to the program asks for: the command line of
 * `cli/` calls these by the registered symbol that copies meet under. A program
 * need not name anything for that, and pays for one entry a loop.
 *
 * The answers are plain data that a debugger can carry. Who changes them changes
 * {@linkcode INSPECTION}, which the command line compares.
 */
import { cancelSafely } from "./cancel_each.ts";
import { type Future, futureInternals } from "./future.ts";
import type { Kernel } from "./kernel.ts";
import { liveTasks } from "./live_tasks.ts";
import { Task } from "./task.ts";
import { nameOf, placeOf } from "./whereabouts.ts";

/** The version of the answers. */
const INSPECTION = 1;

/** A task that has not ended. */
export interface InspectedTask {
  /** Unique in this copy, as names need not be. */
  readonly id: number;
  readonly name: string;
  /** What it waits for, or that nobody knows. */
  readonly state: string;
  /** The ids of the tasks that await it. */
  readonly awaitedBy: readonly number[];
  /** In debug mode, the frames of the wait. */
  readonly frames: readonly string[];
}

/** A loop and the oldest of its tasks. */
export interface InspectedLoop {
  readonly id: number;
  /** For example `<EventLoop running>`. */
  readonly text: string;
  readonly isDebug: boolean;
  /** How many tasks it has. */
  readonly total: number;
  readonly tasks: readonly InspectedTask[];
}

/** What a copy answers with. */
export interface Inspection {
  readonly version: typeof INSPECTION;
  /** Every loop that has a public face, with at most `limit` of its tasks. */
  loops(limit: number): InspectedLoop[];
  /** Asks the tasks of this name or id to cancel; gives their names. */
  cancel(task: string): string[];
  /**
   * Records what all loops do, for at most so many milliseconds, and gives the
   * number of the recording. Absent if the program has not loaded that part of
   * the library.
   */
  startTrace?(ms: number): number;
  /** Ends a recording: its trace events as JSON, a text a loop; `null` if it is over. */
  stopTrace?(id: number): string[] | null;
}

/** Records loops: the debug module knows how. */
export interface Tracing {
  start(kernels: readonly Kernel[], ms: number): number;
  stop(id: number): string[] | null;
}

/** Lets debuggers record. */
export function provideTracing(tracing: Tracing): void {
  inspection.startTrace = (ms) => tracing.start(openKernels(), ms);
  inspection.stopTrace = (id) => tracing.stop(id);
}

let inspected: WeakRef<Kernel>[] = [];
/** With more entries than this, those that are gone are dropped. */
let sweepAt = 16;

/** Lets a debugger see a loop, as long as it is there. */
export function inspectLoop(kernel: Kernel): void {
  if (inspected.length >= sweepAt) {
    inspected = inspected.filter((each) => isOpen(each.deref()));
    sweepAt = Math.max(16, inspected.length * 2);
  }
  inspected.push(new WeakRef(kernel));
}

function isOpen(kernel: Kernel | undefined): kernel is Kernel {
  return kernel !== undefined && !kernel.closed;
}

const ids = new WeakMap<object, number>();
let lastId = 0;

function idOf(object: object): number {
  let id = ids.get(object);
  if (id === undefined) ids.set(object, id = ++lastId);
  return id;
}

function openKernels(): Kernel[] {
  return inspected.map((each) => each.deref()).filter(isOpen);
}

function inspectTask(
  task: Task<unknown>,
  shortcuts: Map<Future<unknown>, Future<unknown>>,
): InspectedTask {
  const { state, frames } = placeOf(task);
  const awaitedBy: number[] = [];
  for (const each of futureInternals.awaiters(task, shortcuts)) {
    if (each instanceof Task) awaitedBy.push(idOf(each));
  }
  return { id: idOf(task), name: nameOf(task), state, awaitedBy, frames };
}

/** This copy, for debuggers. */
export const inspection: Inspection = {
  version: INSPECTION,
  loops: (limit) =>
    openKernels().map((kernel) => {
      const tasks = liveTasks(kernel);
      const shortcuts = new Map();
      return {
        id: idOf(kernel),
        text: String(kernel),
        isDebug: kernel.stacks !== null,
        total: tasks.length,
        tasks: tasks.slice(0, limit).map((task) =>
          inspectTask(task, shortcuts)
        ),
      };
    }),
  cancel: (wanted) =>
    openKernels().flatMap((kernel) =>
      liveTasks(kernel).filter((task) =>
        wanted === `#${idOf(task)}` || task.name === wanted ||
        nameOf(task) === wanted
      )
    ).map((task) => {
      cancelSafely(task, "asked for by a debugger");
      return nameOf(task);
    }),
};
