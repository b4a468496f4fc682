/**
 * What a debugger that is attached to the program asks for: the command line of
 * `cli/` calls these by the registered symbol that copies meet under. A program
 * need not name anything for that, and pays for one entry a loop.
 *
 * The answers are plain data that a debugger can carry. Who changes them changes
 * {@linkcode INSPECTION}, which the command line compares.
 */
import { oneLine } from "../_internal/show.ts";
import { cancelSafely } from "./cancel_each.ts";
import { type Future, futureInternals } from "./future.ts";
import { waitsBelow } from "./hooks.ts";
import type { Kernel } from "./kernel.ts";
import { liveTasks } from "./live_tasks.ts";
import { scopeOf, Task } from "./task.ts";
import type { Wait } from "./wait.ts";
import { waitingSince } from "./wait_ages.ts";
import { nameOf, placeOf, stateOf } from "./whereabouts.ts";

/** The version of the answers. */
export const INSPECTION = 2;

/** A task that has not ended. */
export interface InspectedTask {
  /** Unique in this copy, as names need not be. */
  readonly id: number;
  readonly name: string;
  /** What it waits for, or that nobody knows. */
  readonly state: string;
  /** For how long, in milliseconds; null for who has not been seen before. */
  readonly waitingMs: number | null;
  /**
   * Whether it may be longer: nobody has noted when the wait began, and it is
   * known since when it was seen.
   */
  readonly isAtLeast: boolean;
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
  /** The tasks of this name or id, and all that wait for their ends. */
  where(task: string): InspectedLoop[];
  /** Asks the tasks of this name or id to cancel; gives their names. */
  cancel(task: string): string[];
  /**
   * Records what all loops do, for at most that many milliseconds, and gives the
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

/** When a wait was seen first, by its loop's time, unless it was noted. */
const seen = new WeakMap<Wait<unknown>, number>();

function openKernels(): Kernel[] {
  return inspected.map((each) => each.deref()).filter(isOpen);
}

function inspectTask(
  task: Task<unknown>,
  shortcuts: Map<Future<unknown>, Future<unknown>>,
): InspectedTask {
  const awaitedBy: number[] = [];
  for (const each of futureInternals.awaiters(task, shortcuts)) {
    if (each instanceof Task) awaitedBy.push(idOf(each));
  }
  const hasStacks = scopeOf(task).kernel.stacks !== null;
  return {
    id: idOf(task),
    name: nameOf(task),
    ...waitOf(task),
    awaitedBy,
    frames: hasStacks ? placeOf(task).frames : [],
  };
}

/** What a task waits for, and for how long. */
function waitOf(
  task: Task<unknown>,
): Pick<InspectedTask, "state" | "waitingMs" | "isAtLeast"> {
  const [wait] = waitsBelow(scopeOf(task));
  if (wait === undefined) {
    return { state: stateOf(task), waitingMs: null, isAtLeast: false };
  }
  const state = oneLine(`waiting for ${wait.what}`);
  const now = wait.scope.kernel.now();
  const since = waitingSince(wait);
  if (since !== null) {
    return { state, waitingMs: now - since, isAtLeast: false };
  }
  const first = seen.get(wait);
  if (first !== undefined) {
    return { state, waitingMs: now - first, isAtLeast: true };
  }
  seen.set(wait, now);
  return { state, waitingMs: null, isAtLeast: true };
}

function inspectTasks(
  kernel: Kernel,
  choose: (tasks: readonly Task<unknown>[]) => readonly Task<unknown>[],
): InspectedLoop {
  const tasks = liveTasks(kernel);
  const shortcuts = new Map();
  return {
    id: idOf(kernel),
    text: String(kernel),
    isDebug: kernel.stacks !== null,
    total: tasks.length,
    tasks: choose(tasks).map((task) => inspectTask(task, shortcuts)),
  };
}

function isWanted(task: Task<unknown>, wanted: string): boolean {
  const id = ids.get(task);
  return (id !== undefined && wanted === `#${id}`) || task.name === wanted ||
    nameOf(task) === wanted;
}

/** The tasks of a name or id, and those that await them, and so on. */
function wantedAndAwaiters(
  tasks: readonly Task<unknown>[],
  wanted: string,
): Task<unknown>[] {
  const shortcuts = new Map();
  const found = new Set(tasks.filter((task) => isWanted(task, wanted)));
  // What is added to the set on the way is looked at as well.
  for (const task of found) {
    for (const each of futureInternals.awaiters(task, shortcuts)) {
      if (each instanceof Task) found.add(each);
    }
  }
  return [...found];
}

/** One loop, with at most `limit` of its tasks, the oldest first. */
export function inspectOldest(kernel: Kernel, limit: number): InspectedLoop {
  return inspectTasks(kernel, (tasks) => tasks.slice(0, limit));
}

/** One loop, with the tasks of a name or id and all that wait for their ends. */
export function inspectWanted(kernel: Kernel, task: string): InspectedLoop {
  return inspectTasks(kernel, (tasks) => wantedAndAwaiters(tasks, task));
}

/** Asks the tasks of a name or id to cancel; gives their names. */
export function cancelWanted(kernel: Kernel, task: string): string[] {
  return liveTasks(kernel).filter((each) => isWanted(each, task)).map(
    (each) => {
      cancelSafely(each, "asked for by a debugger");
      return nameOf(each);
    },
  );
}

/** This copy, for debuggers. */
export const inspection: Inspection = {
  version: INSPECTION,
  loops: (limit) => openKernels().map((kernel) => inspectOldest(kernel, limit)),
  where: (task) => openKernels().map((kernel) => inspectWanted(kernel, task)),
  cancel: (task) =>
    openKernels().flatMap((kernel) => cancelWanted(kernel, task)),
};
