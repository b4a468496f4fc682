/**
 * Looking into a running program: who awaits whom, and what each task waits for.
 *
 * ```ts
 * import { createTask, sleep } from "@asyncio/asyncio";
 * import { formatCallGraph } from "@asyncio/asyncio/debug";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const inner = createTask(() => sleep(60_000), { name: "inner" });
 * const outer = createTask(async () => await inner, { name: "outer" });
 * await sleep(1);
 * assertStringIncludes(formatCallGraph(inner), "Awaited by:");
 * outer.cancel();
 * await outer.catch(() => {});
 * ```
 *
 * {@linkcode captureCallGraph} gives the same as objects, and
 * {@linkcode startInspector} to another terminal. Debug mode, which reports what
 * goes wrong by itself, is the loop's: `run(main, { debug: true })`.
 *
 * @module
 */

export {
  type CallGraphOptions,
  captureCallGraph,
  formatCallGraph,
  type FutureCallGraph,
  printCallGraph,
} from "./call_graph.ts";
export {
  Inspector,
  type InspectorOptions,
  startInspector,
} from "./inspector.ts";
export { recordTimeline, Timeline, type TimelineOptions } from "./timeline.ts";
export type { TraceEvent, TraceEvents } from "./_trace_event.ts";
