/** What the page of an inspector shows of a loop, as it is now. */
import { errorLine } from "../_internal/error_text.ts";
import { oneLine } from "../_internal/show.ts";
import { findStuck } from "../loop/cycles.ts";
import { awaitedFuture, futureInternals } from "../loop/future.ts";
import { waitsBelow } from "../loop/hooks.ts";
import type { Kernel } from "../loop/kernel.ts";
import { liveTasks } from "../loop/live_tasks.ts";
import { allNamed, givenName } from "../loop/named.ts";
import { scopeOf, Task } from "../loop/task.ts";
import type { Wait } from "../loop/wait.ts";
import { waitingSince } from "../loop/wait_ages.ts";
import { WaitQueue } from "../loop/wait_queue.ts";
import { nameOf } from "../loop/whereabouts.ts";

/** More tasks than this are counted, and only the oldest are shown. */
const MANY_TASKS = 10_000;
const SHOWN_OF_MANY = 1000;
const SHOWN_RESOURCES = 1000;
/** How many of those that wait for one lock are named. */
const SHOWN_WAITERS = 50;

/** A task, as the page has it. */
export interface TaskRow {
  readonly id: number;
  readonly name: string;
  /** What it waits for. */
  readonly state: string;
  /** Since when, by the loop's time; null if that is not known. */
  readonly since: number | null;
  /** The numbers of the tasks that await it. */
  readonly by: readonly number[];
  readonly isCancelling: boolean;
  /** It is in a deadlock, or waits for one. */
  readonly isStuck: boolean;
}

/** A lock, a queue or its like that has a name, or that tasks wait for. */
export interface ResourceRow {
  readonly id: number;
  readonly kind: string;
  readonly name: string;
  readonly text: string;
  /** How much of it is taken, and how much there is; null if that is nothing to tell. */
  readonly fill: readonly [taken: number, of: number] | null;
  /** The numbers of the tasks that wait for it, up to some fifty. */
  readonly waiters: readonly number[];
}

/** A loop at one moment. */
export interface Snapshot {
  /** The loop's time, in milliseconds. */
  readonly now: number;
  /** How many tasks there are. */
  readonly total: number;
  readonly tasks: readonly TaskRow[];
  readonly resources: readonly ResourceRow[];
  /** The numbers of tasks that wait for each other. */
  readonly deadlocks: readonly (readonly number[])[];
}

/** The numbers by which the page knows what it shows. */
export class Numbers {
  readonly #known = new WeakMap<object, number>();
  readonly #objects = new Map<number, WeakRef<object>>();
  readonly #collected = new FinalizationRegistry<number>((id) => {
    this.#objects.delete(id);
  });
  #last = 0;

  of(object: object): number {
    let id = this.#known.get(object);
    if (id === undefined) {
      id = ++this.#last;
      this.#known.set(object, id);
      this.#objects.set(id, new WeakRef(object));
      this.#collected.register(object, id);
    }
    return id;
  }

  /** The task that has a number and has not ended. */
  taskOf(id: number): Task<unknown> | null {
    const task = this.#objects.get(id)?.deref();
    return task instanceof Task && !task.done() ? task : null;
  }
}

/** Looks at a loop. */
export function takeSnapshot(kernel: Kernel, numbers: Numbers): Snapshot {
  const all = liveTasks(kernel);
  const total = all.length;
  const shown = total > MANY_TASKS ? all.slice(0, SHOWN_OF_MANY) : all;
  const stuck = findStuck(kernel);
  const waiters = new Map<object, number[]>();
  const shortcuts = new Map();
  const tasks = shown.map((task): TaskRow => {
    const id = numbers.of(task);
    const waits = waitsBelow(scopeOf(task));
    for (const wait of waits) noteWaiter(waiters, wait, id);
    const awaiters = futureInternals.awaiters(task, shortcuts);
    const by: number[] = [];
    for (const each of awaiters) {
      if (each instanceof Task) by.push(numbers.of(each));
    }
    return {
      id,
      name: nameOf(task),
      state: stateOf(waits),
      since: waits[0] === undefined ? null : waitingSince(waits[0]),
      by,
      isCancelling: task.cancelling() > 0,
      isStuck: stuck.tasks.has(task),
    };
  });
  return {
    now: kernel.now(),
    total,
    tasks,
    resources: resourcesOf(waiters, numbers),
    deadlocks: stuck.cycles.map((cycle) =>
      cycle.map((task) => numbers.of(task))
    ),
  };
}

function stateOf(waits: readonly Wait<unknown>[]): string {
  const [first] = waits;
  if (first === undefined) return "in code, or in an await of another library";
  const future = awaitedFuture(first);
  // Not with what that waits for, which has a row of its own.
  const what = future instanceof Task
    ? `the task ${nameOf(future)}`
    : orError(() => oneLine(first.what), (text) => text);
  const others = waits.length - 1;
  return others > 0 ? `${what}, and ${others} more` : what;
}

function noteWaiter(
  waiters: Map<object, number[]>,
  wait: Wait<unknown>,
  id: number,
): void {
  const owner = wait.source instanceof WaitQueue
    ? wait.source.options.owner
    : undefined;
  if (owner === undefined) return;
  const known = waiters.get(owner);
  if (known === undefined) waiters.set(owner, [id]);
  else if (known.length < SHOWN_WAITERS) known.push(id);
}

function resourcesOf(
  waiters: ReadonlyMap<object, readonly number[]>,
  numbers: Numbers,
): ResourceRow[] {
  const rows: ResourceRow[] = [];
  for (const owner of new Set([...allNamed(), ...waiters.keys()])) {
    if (rows.length >= SHOWN_RESOURCES) break;
    if (!hasStatistics(owner)) continue;
    rows.push({
      id: numbers.of(owner),
      name: oneLine(givenName(owner) ?? ""),
      waiters: waiters.get(owner) ?? [],
      ...orError(() => ({
        kind: owner[Symbol.toStringTag],
        text: oneLine(String(owner)),
        fill: fillOf(owner.statistics()),
      }), (text) => ({ kind: "?", text, fill: null })),
    });
  }
  return rows.sort((a, b) => a.id - b.id);
}

/**
 * What a class of the program's own throws, when it is asked how it is, takes the
 * place of the answer: the rest is to be shown all the same.
 */
function orError<T>(ask: () => T, instead: (text: string) => T): T {
  try {
    return ask();
  } catch (error) {
    return instead(`it threw ${errorLine(error)}`);
  }
}

interface Resource {
  readonly [Symbol.toStringTag]: string;
  statistics(): Readonly<Record<string, unknown>>;
}

/** A task group is waited for as well, and has tasks for rows. */
function hasStatistics(owner: object): owner is Resource {
  return typeof (owner as Partial<Resource>).statistics === "function";
}

/** The statistics tell it under the names of each kind. */
function fillOf(
  {
    size,
    maxSize,
    bound,
    value,
    totalTokens,
    borrowedTokens,
    parties,
    waiters,
    locked,
  }: Readonly<Record<string, unknown>>,
): readonly [number, number] | null {
  const pairs = [
    [size, maxSize],
    [Number(bound) - Number(value), bound],
    [borrowedTokens, totalTokens],
    [waiters, parties],
    [Number(locked), locked === undefined ? undefined : 1],
  ];
  for (const [taken, of] of pairs) {
    if (typeof taken !== "number" || typeof of !== "number") continue;
    if (of > 0 && Number.isFinite(of)) return [taken, of];
  }
  return null;
}
