/** The names of lanes, and their order: each is below the one that awaits it. */
import type { Lane } from "./_recording.ts";
import type { TraceEvent } from "./_trace_event.ts";

/** Levels that are indented; those further down have a number. */
const INDENTED = 20;

/** The events that name the lanes in use, and put them in order. */
export function laneNames(
  lanes: ReadonlyMap<number, Lane>,
  used: ReadonlySet<number>,
): TraceEvent[] {
  const below = new Map<number, Lane[]>();
  const roots: Lane[] = [];
  const shown = [...lanes.values()].filter(({ id }) => used.has(id));
  for (const lane of shown) {
    const parent = used.has(lane.awaiter) ? lane.awaiter : lane.maker;
    if (parent === 0 || !used.has(parent)) roots.push(lane);
    else if (below.has(parent)) below.get(parent)!.push(lane);
    else below.set(parent, [lane]);
  }
  const named = new Set<Lane>();
  const events: TraceEvent[] = [
    metadata("process_name", 0, { name: "asyncio" }),
  ];
  // Whoever is below no root awaits itself, by way of others.
  for (const root of [...roots, ...shown]) {
    const left = [{ lane: root, depth: 0 }];
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const { lane, depth } = next;
      if (named.has(lane)) continue;
      named.add(lane);
      events.push(
        metadata("thread_name", lane.id, { name: indented(lane, depth) }),
        metadata("thread_sort_index", lane.id, { sort_index: named.size }),
      );
      for (const child of (below.get(lane.id) ?? []).toReversed()) {
        left.push({ lane: child, depth: depth + 1 });
      }
    }
  }
  return events;
}

function indented({ title }: Lane, depth: number): string {
  if (depth === 0) return title;
  return depth > INDENTED
    ? `${"   ".repeat(INDENTED)}\u2514\u2500 [${depth}] ${title}`
    : `${"   ".repeat(depth - 1)}\u2514\u2500 ${title}`;
}

function metadata(
  name: string,
  tid: number,
  args: Readonly<Record<string, unknown>>,
): TraceEvent {
  return { name, cat: "__metadata", ph: "M", ts: 0, pid: 1, tid, args };
}
