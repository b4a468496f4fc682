/**
 * The rules of Chrome's trace-event format, as far as what is written follows
 * them: "Trace Event Format" of the Chromium project, and what Perfetto makes of
 * it.
 */
import type { TraceEvent } from "@asyncio/asyncio";
import { assert, assertEquals } from "@std/assert";

const OPENERS: Readonly<Record<string, string>> = { e: "b", f: "s" };

/** Whole nanoseconds: a sum of fractions is not always what it should be. */
function nanos(micros: number): number {
  return Math.round(micros * 1000);
}

export function checkTraceEvents(events: readonly TraceEvent[]): void {
  checkFields(events);
  checkOrder(events);
  checkPairs(events);
  checkNesting(events);
  checkArrows(events);
  checkNames(events);
  // It is JSON, and stays what it is.
  assertEquals(JSON.parse(JSON.stringify(events)), events);
}

function checkFields(events: readonly TraceEvent[]): void {
  for (const { name, cat, ph, ts, dur, id, tid, pid, s, bp } of events) {
    assert(typeof name === "string" && name !== "");
    assert(typeof cat === "string" && cat !== "");
    assertEquals(pid, 1);
    assert(Number.isInteger(tid) && tid >= 0);
    assert(Number.isFinite(ts) && ts >= 0);
    assertEquals(dur !== undefined, ph === "X");
    assert(dur === undefined || Number.isFinite(dur) && dur >= 0);
    assertEquals(id !== undefined, "besf".includes(ph));
    assertEquals(s, ph === "i" ? "t" : undefined);
    assertEquals(bp, ph === "f" ? "e" : undefined);
  }
}

/** Names come first, and then time does not run backwards. */
function checkOrder(events: readonly TraceEvent[]): void {
  const times = events.filter(({ ph }) => ph !== "M").map(({ ts }) => ts);
  assertEquals(times, times.toSorted((a, b) => a - b));
  const first = events.findIndex(({ ph }) => ph !== "M");
  assert(events.slice(first).every(({ ph }) => ph !== "M"));
}

/** Of each pair there are both ends, and no two pairs have one number. */
function checkPairs(events: readonly TraceEvent[]): void {
  const open = new Map<number, TraceEvent>();
  const used = new Set<number>();
  for (const event of events) {
    const { ph, id, name, cat } = event;
    if (id === undefined) continue;
    const opener = OPENERS[ph];
    if (opener === undefined) {
      assert(!used.has(id), `${id} is used twice`);
      used.add(id);
      open.set(id, event);
    } else {
      const begun = open.get(id);
      assertEquals([begun?.ph, begun?.name, begun?.cat], [opener, name, cat]);
      open.delete(id);
    }
  }
  assertEquals([...open.values()], []);
}

/** The slices of a lane lie in each other or apart. */
function checkNesting(events: readonly TraceEvent[]): void {
  const stacks = new Map<number, number[]>();
  for (const { tid, ts, dur, name } of events) {
    if (dur === undefined) continue;
    const ends = stacks.get(tid) ?? [];
    stacks.set(tid, ends);
    const [start, end] = [nanos(ts), nanos(ts) + nanos(dur)];
    while (ends.length > 0 && ends.at(-1)! <= start) ends.pop();
    const around = ends.at(-1) ?? Infinity;
    assert(
      end <= around,
      `${name} ends ${end - around} ns after what it is in`,
    );
    ends.push(end);
  }
}

/** An arrow leads from a slice of its lane to another one, and not back in time. */
function checkArrows(events: readonly TraceEvent[]): void {
  const starts = new Map<number, TraceEvent>();
  const lastSlices = new Map<number, TraceEvent>();
  for (const event of events) {
    const { ph, id, tid, ts } = event;
    if (ph === "X") lastSlices.set(tid, event);
    if (ph !== "s" && ph !== "f") continue;
    const slice = lastSlices.get(tid);
    assert(slice !== undefined, "an arrow begins and ends in a slice");
    assert(/step/.test(slice.cat), `it is a step: ${slice.name}`);
    const end = nanos(slice.ts) + nanos(slice.dur!);
    assert(nanos(ts) >= nanos(slice.ts) && nanos(ts) <= end);
    if (ph === "s") starts.set(id!, event);
    else assert(starts.get(id!)!.ts <= ts);
  }
}

/** Each lane has a name, and a place of its own. */
function checkNames(events: readonly TraceEvent[]): void {
  const named = new Map<number, string>();
  const places = new Set<unknown>();
  for (const { ph, name, tid, args } of events) {
    if (ph !== "M") continue;
    if (name === "thread_name") {
      assert(!named.has(tid), `lane ${tid} is named once`);
      named.set(tid, String(args?.["name"]));
    } else if (name === "thread_sort_index") {
      assert(!places.has(args?.["sort_index"]));
      places.add(args?.["sort_index"]);
    } else assertEquals(name, "process_name");
  }
  for (const { ph, tid } of events) {
    if (ph !== "M") assert(named.has(tid), `lane ${tid} has a name`);
  }
}
