import { checkOptions, OptionNames } from "../_internal/options.ts";
import { oneLine, show } from "../_internal/show.ts";
import { userFrames } from "../loop/creation_stacks.ts";
import { Future, futureInternals } from "../loop/future.ts";
import { indentation, levelOf } from "../loop/outline.ts";
import { currentTask, Task } from "../loop/task.ts";
import { hostProcess } from "../platform/process.ts";

/** Options of {@linkcode captureCallGraph} and its kin. */
export interface CallGraphOptions {
  /**
   * How many lines of each call stack to keep: the innermost, or, if it is
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
  /**
   * Those who await it, each with those who await them. One that awaits several
   * of these is the same object each time: walk through it once.
   */
  readonly awaitedBy: readonly FutureCallGraph[];
  /** It awaits itself, by way of others: it is shown further up already. */
  readonly isCycle: boolean;
}

/**
 * Captures who awaits whom, from a future up to the task at the root.
 * Equivalent of `asyncio.capture_call_graph`.
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
 * @param future The future or the task to begin with; by default the running task.
 * @param options How much of the stacks to keep.
 * @returns The graph; `null` if there is neither a future nor a running task.
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
    // The running task may be one of another copy of this package.
    if (first !== future) return null;
    throw new TypeError(
      `Cannot ${action} as 'future' must be a future or a task: received ${
        show(first)
      }`,
    );
  }
  return capture(first, limit, new Map(), new Map());
}

/**
 * The call graph as text, as {@linkcode printCallGraph} writes it. Equivalent
 * of `asyncio.format_call_graph`.
 *
 * Whoever awaits several of those shown is shown there once, and is then referred
 * to. What is more than 20 levels up is not indented any further, but tells its
 * level.
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
 * @param future The future or the task to begin with; by default the running task.
 * @param options How much of the stacks to keep.
 * @returns Lines, without a line break at the end; `""` if there is neither a
 * future nor a running task.
 * @throws {TypeError} When `future` is not a future, or `limit` no integer.
 */
export function formatCallGraph(
  future?: Future<unknown> | null,
  options: CallGraphOptions = {},
): string {
  const graph = captureCallGraph(future, options);
  return graph === null ? "" : format([graph]).join("\n");
}

/**
 * Writes the call graph to stdout. Equivalent of `asyncio.print_call_graph`.
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
 * @param future The future or the task to begin with; by default the running task.
 * @param options How much of the stacks to keep.
 * @throws {TypeError} When `future` is not a future, or `limit` no integer.
 */
export function printCallGraph(
  future?: Future<unknown> | null,
  options: CallGraphOptions = {},
): void {
  hostProcess.writeOutput(formatCallGraph(future, options));
}

/** One that was captured already has its place in the map. */
type Captured = Map<Future<unknown>, FutureCallGraph>;

/** One whose awaiters are being captured. */
interface Visit {
  readonly graph: FutureCallGraph & { readonly awaitedBy: FutureCallGraph[] };
  readonly awaiters: Iterator<Future<unknown>>;
}

/**
 * The lines of the call graphs of several futures.
 *
 * @param futures They may await each other: each is shown once.
 */
export function callGraphLines(futures: Iterable<Future<unknown>>): string[] {
  const captured: Captured = new Map();
  const shortcuts = new Map();
  return format(
    Array.from(
      futures,
      (each) => capture(each, undefined, captured, shortcuts),
    ),
  );
}

/** A chain may be longer than the stack is deep: no calls in calls. */
function capture(
  first: Future<unknown>,
  limit: number | undefined,
  captured: Captured,
  shortcuts: Map<Future<unknown>, Future<unknown>>,
): FutureCallGraph {
  const known = captured.get(first);
  if (known !== undefined) return known;
  const visits: Visit[] = [];
  const way = new Set<Future<unknown>>();
  const begin = (future: Future<unknown>) => {
    const graph = {
      future,
      callStack: limited(callStackOf(future), limit),
      awaitedBy: [],
      isCycle: false,
    };
    captured.set(future, graph);
    way.add(future);
    const awaiters = futureInternals.awaiters(future, shortcuts);
    visits.push({ graph, awaiters: awaiters.values() });
    return graph;
  };
  const graph = begin(first);
  for (let visit = visits.at(-1); visit !== undefined; visit = visits.at(-1)) {
    const { value: future, done } = visit.awaiters.next();
    if (done === true) {
      way.delete(visit.graph.future);
      visits.pop();
      continue;
    }
    visit.graph.awaitedBy.push(
      way.has(future)
        ? { ...captured.get(future)!, awaitedBy: [], isCycle: true }
        : captured.get(future) ?? begin(future),
    );
  }
  return graph;
}

function callStackOf(future: Future<unknown>): string[] {
  if (!(future instanceof Task)) return [];
  const lines = future === currentTask()
    ? userFrames(new Error())
    : future.getStack();
  return lines.map((line) => oneLine(line.trim()));
}

function limited(lines: string[], limit: number | undefined): string[] {
  if (limit === undefined) return lines;
  return limit < 0 ? lines.slice(limit) : lines.slice(0, limit);
}

function format(graphs: readonly FutureCallGraph[]): string[] {
  const lines: string[] = [];
  const shown = new Set<FutureCallGraph>();
  const left = graphs.map((graph) => ({ graph, depth: 0 })).reverse();
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { graph, depth } = next;
    const indent = indentation(depth, 4);
    const title = `${indent}* ${levelOf(depth)}${oneLine(`${graph.future}`)}`;
    if (graph.isCycle || shown.has(graph)) {
      lines.push(`${title} (${graph.isCycle ? "a cycle" : "shown above"})`);
      continue;
    }
    shown.add(graph);
    lines.push(title);
    if (graph.callStack.length > 0) {
      lines.push(`${indent}  + Call stack:`);
      for (const line of graph.callStack) lines.push(`${indent}  |   ${line}`);
    }
    const { awaitedBy } = graph;
    if (awaitedBy.length > 0) lines.push(`${indent}  + Awaited by:`);
    for (let i = awaitedBy.length - 1; i >= 0; i--) {
      left.push({ graph: awaitedBy[i]!, depth: depth + 1 });
    }
  }
  return lines;
}
