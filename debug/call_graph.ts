import { checkOptions, OptionNames } from "../_internal/options.ts";
import { show } from "../_internal/show.ts";
import { userFrames } from "../loop/creation_stacks.ts";
import { Future, futureInternals } from "../loop/future.ts";
import { currentTask, Task } from "../loop/task.ts";
import { platform } from "../platform/mod.ts";

/** Options of {@linkcode captureCallGraph} and its kin. */
export interface CallGraphOptions {
  /**
   * How many lines of each call stack to keep: the innermost, or, where it is
   * negative, the outermost. 0 for none.
   *
   * @default {all of them}
   */
  limit?: number | undefined;
}

const CALL_GRAPH_OPTIONS = new OptionNames<CallGraphOptions>(
  { limit: true },
  { number: "limit" },
);

/** A future, what it is doing, and who awaits it. */
export interface FutureCallGraph {
  /** The task or the future. */
  readonly future: Future<unknown>;
  /**
   * Where it is, the innermost first: of the running task the frames of this
   * call, of any other what it waits for and, in debug mode, the frames of that.
   * Empty for a plain future.
   */
  readonly callStack: readonly string[];
  /** Those who await it, each with those who await them. */
  readonly awaitedBy: readonly FutureCallGraph[];
  /** It awaits itself, by way of others: it stands further up already. */
  readonly isCycle: boolean;
}

/**
 * Captures who awaits whom, from a future up to the task at the root. Answers
 * to `asyncio.capture_call_graph`.
 *
 * What is seen are tasks and futures, by `await`, `gather`, `wait`,
 * `asCompleted`, `shield` and task groups. An `async` function that is awaited
 * without being a task is part of the task that calls it; its frames are kept in
 * debug mode only.
 *
 * @example Who waits for a task
 * ```ts
 * import { captureCallGraph, createTask, sleep } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const inner = createTask(() => sleep(60_000), { name: "inner" });
 * const outer = createTask(async () => await inner, { name: "outer" });
 * await sleep(1);
 *
 * const graph = captureCallGraph(inner);
 * assertEquals(graph?.callStack, ["waiting for sleep(60000)"]);
 * assertEquals(graph?.awaitedBy[0]?.future, outer);
 *
 * outer.cancel();
 * await outer.catch(() => {});
 * ```
 *
 * @param future The future or the task to begin with; the running task else.
 * @param options How much of the stacks to keep.
 * @returns The graph; `null` where there is neither a future nor a running task.
 * @throws {TypeError} When `future` is not a future, or `limit` no integer.
 */
export function captureCallGraph(
  future?: Future<unknown> | null,
  options: CallGraphOptions = {},
): FutureCallGraph | null {
  const action = "capture a call graph";
  checkOptions(action, options, CALL_GRAPH_OPTIONS);
  const { limit } = options;
  if (limit !== undefined && !Number.isInteger(limit)) {
    throw new TypeError(
      `Cannot ${action} as 'limit' must be an integer: received ${show(limit)}`,
    );
  }
  const first = future ?? currentTask();
  if (first === null) return null;
  if (!(first instanceof Future)) {
    throw new TypeError(
      `Cannot ${action} as 'future' must be a future or a task: received ${
        show(first)
      }`,
    );
  }
  return capture(first, limit, []);
}

/**
 * The call graph as text, as {@linkcode printCallGraph} writes it. Answers to
 * `asyncio.format_call_graph`.
 *
 * @example The graph of the running task
 * ```ts
 * import { createTask, formatCallGraph } from "@asyncio/asyncio";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const text = await createTask(() => formatCallGraph(), { name: "worker" });
 * assertStringIncludes(text, '* <Task pending name="worker">');
 * ```
 *
 * @param future The future or the task to begin with; the running task else.
 * @param options How much of the stacks to keep.
 * @returns Lines, without a line break at the end; `""` where there is neither a
 * future nor a running task.
 * @throws {TypeError} When `future` is not a future, or `limit` no integer.
 */
export function formatCallGraph(
  future?: Future<unknown> | null,
  options: CallGraphOptions = {},
): string {
  const graph = captureCallGraph(future, options);
  return graph === null ? "" : format(graph, "").join("\n");
}

/**
 * Writes the call graph to stdout. Answers to `asyncio.print_call_graph`.
 *
 * ```text
 * * <Task pending name="inner" waiting for sleep(60000)>
 *   + Call stack:
 *   |   waiting for sleep(60000)
 *   + Awaited by:
 *     * <Task pending name="outer" waiting for <Task pending name="inner">>
 * ```
 *
 * @example Looking at a task from outside
 * ```ts
 * import { createTask, printCallGraph, sleep } from "@asyncio/asyncio";
 *
 * const task = createTask(() => sleep(10));
 * await sleep(0);
 * printCallGraph(task);
 * await task;
 * ```
 *
 * @param future The future or the task to begin with; the running task else.
 * @param options How much of the stacks to keep.
 * @throws {TypeError} When `future` is not a future, or `limit` no integer.
 */
export function printCallGraph(
  future?: Future<unknown> | null,
  options: CallGraphOptions = {},
): void {
  platform.writeOutput(formatCallGraph(future, options));
}

function capture(
  future: Future<unknown>,
  limit: number | undefined,
  above: readonly Future<unknown>[],
): FutureCallGraph {
  const isCycle = above.includes(future);
  const path = [...above, future];
  const awaiters = isCycle ? [] : [...futureInternals.awaiters(future)];
  return {
    future,
    callStack: limited(callStackOf(future), limit),
    awaitedBy: awaiters.map((each) => capture(each, limit, path)),
    isCycle,
  };
}

function callStackOf(future: Future<unknown>): string[] {
  if (!(future instanceof Task)) return [];
  const lines = future === currentTask()
    ? userFrames(new Error())
    : future.getStack();
  return lines.map((line) => line.trim());
}

function limited(lines: string[], limit: number | undefined): string[] {
  if (limit === undefined) return lines;
  return limit < 0 ? lines.slice(limit) : lines.slice(0, limit);
}

function format(graph: FutureCallGraph, indent: string): string[] {
  const { future, callStack, awaitedBy, isCycle } = graph;
  if (isCycle) return [`${indent}* ${future} (a cycle)`];
  const lines = [`${indent}* ${future}`];
  if (callStack.length > 0) {
    lines.push(`${indent}  + Call stack:`);
    for (const line of callStack) lines.push(`${indent}  |   ${line}`);
  }
  if (awaitedBy.length > 0) {
    lines.push(`${indent}  + Awaited by:`);
    for (const each of awaitedBy) lines.push(...format(each, `${indent}    `));
  }
  return lines;
}
