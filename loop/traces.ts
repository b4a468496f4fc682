/**
 * Tasks and waits for those who subscribe to `asyncio:task` and `asyncio:wait`
 * of `node:diagnostics_channel`. While nobody does, a task costs the look whether
 * somebody has begun to, and a wait costs nothing.
 */
import { tasksNeededBy } from "./cycles.ts";
import { futureInternals } from "./future.ts";
import type { Hooks, TaskTracer, WaitInfo } from "./hooks.ts";
import type { LoopKernel } from "./kernel.ts";
import type { Task } from "./task.ts";
import { TraceChannel } from "./trace_channel.ts";
import type { Wait } from "./wait.ts";

/**
 * A task, as the channel `asyncio:task` tells of it: the same object in all of
 * its messages.
 */
export interface TaskTrace {
  /** The task. Its name, for example, can still be changed. */
  readonly task: Task<unknown>;
  /** How it has ended; `pending` in `start` and `end`. */
  readonly outcome: "pending" | "finished" | "failed" | "cancelled";
  /**
   * What it has failed with, or the `CancelledError`: there from `error` on. To
   * look at it here does not count as taking notice of it.
   */
  readonly error?: unknown;
}

/**
 * A wait, as the channel `asyncio:wait` tells of it: the same object in all of
 * its messages.
 */
export interface WaitTrace {
  /** The task that waits; null for code in no task. */
  readonly task: Task<unknown> | null;
  /** What it waits for, as it was when the wait began. */
  readonly what: string;
  /**
   * The tasks that alone can end the wait, as they are now: the one it awaits,
   * those of a group, or the one that holds the lock. Empty if anything else
   * could end it, too.
   */
  readonly needs: readonly Task<unknown>[];
  /** The error it has ended with, or the `CancelledError`: from `error` on. */
  readonly error?: unknown;
}

interface Channels {
  readonly tasks: TraceChannel<TaskTrace>;
  readonly waits: TraceChannel<WaitTrace>;
}

let channels: Channels | null = null;

function openChannels(): Channels {
  return channels ??= {
    tasks: new TraceChannel("asyncio:task"),
    waits: new TraceChannel("asyncio:wait"),
  };
}

function isHeard({ tasks, waits }: Channels): boolean {
  return tasks.isHeard || waits.isHeard;
}

const tracers = new WeakMap<Hooks, Tracer>();

/** Publishes what a loop does from now on, if anyone has begun to listen. */
export function traceIfHeard(kernel: LoopKernel, hooks: Hooks): void {
  const opened = openChannels();
  if (!isHeard(opened) || tracers.has(hooks)) return;
  tracers.set(hooks, new Tracer(kernel, hooks, opened));
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

class Tracer implements TaskTracer {
  readonly #kernel: LoopKernel;
  readonly #hooks: Hooks;
  readonly #channels: Channels;
  readonly #tasks = new WeakMap<Task<unknown>, Writable<TaskTrace>>();
  readonly #waits = new WeakMap<WaitInfo, RunningWait>();

  constructor(kernel: LoopKernel, hooks: Hooks, channels: Channels) {
    this.#kernel = kernel;
    this.#hooks = hooks;
    this.#channels = channels;
    hooks.tracer = this;
    hooks.add(this);
  }

  /** Here, and not at the end of each subscription, which nobody is told of. */
  taskCreated(): void {
    if (isHeard(this.#channels)) return;
    this.#hooks.tracer = null;
    this.#hooks.remove(this);
    tracers.delete(this.#hooks);
  }

  beginTask(task: Task<unknown>, begin: () => void): void {
    const { tasks } = this.#channels;
    if (!tasks.isHeard) return begin();
    const trace: TaskTrace = { task, outcome: "pending" };
    this.#tasks.set(task, trace);
    tasks.begin(trace, begin);
  }

  taskEnded(task: Task<unknown>): void {
    const trace = this.#tasks.get(task);
    if (trace === undefined) return;
    this.#tasks.delete(task);
    const outcome = futureInternals.state(task);
    trace.outcome = outcome;
    const isError = outcome !== "finished";
    if (isError) trace.error = futureInternals.value(task);
    this.#channels.tasks.finish(trace, isError);
  }

  waitStarted(wait: WaitInfo): void {
    const { waits } = this.#channels;
    if (!waits.isHeard) return;
    const trace = new RunningWait(wait as Wait<unknown>);
    this.#waits.set(wait, trace);
    waits.tellBegin(trace);
  }

  waitFailed(wait: WaitInfo, error: unknown): void {
    const trace = this.#waits.get(wait);
    if (trace !== undefined) trace.error = error;
  }

  waitEnded(wait: WaitInfo): void {
    const trace = this.#waits.get(wait);
    if (trace === undefined) return;
    this.#waits.delete(wait);
    this.#channels.waits.finish(trace, "error" in trace);
  }
}

class RunningWait implements WaitTrace {
  readonly #wait: Wait<unknown>;
  readonly task: Task<unknown> | null;
  readonly what: string;
  // Not there before the wait has failed.
  declare error?: unknown;

  constructor(wait: Wait<unknown>) {
    this.#wait = wait;
    this.task = wait.task;
    this.what = wait.what;
  }

  get needs(): readonly Task<unknown>[] {
    return tasksNeededBy(this.#wait);
  }
}
