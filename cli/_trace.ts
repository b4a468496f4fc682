/** Records the loops of the program for a while, by a debugger's session. */
import { writeFile } from "node:fs/promises";
import { Failure } from "./_failure.ts";
import type { Session } from "./_session.ts";

/** So much later a recording whose command line has gone ends by itself. */
const GRACE_MS = 10_000;

/** An event; there is more in it that is not looked at here. */
interface Event {
  readonly pid: number;
  readonly id?: number;
  readonly [name: string]: unknown;
}

interface Trace {
  readonly traceEvents: readonly Event[];
  readonly otherData: { readonly dropped: number };
}

/** What the loops of a program have done. */
export interface MergedTrace {
  readonly traceEvents: readonly Event[];
  readonly displayTimeUnit: "ms";
  readonly otherData: { readonly dropped: number; readonly loops: number };
}

/** Runs in the program. A copy that cannot record gives null. */
function eachCopy(answer: string): string {
  return `(globalThis[Symbol.for("@asyncio/asyncio/copies")]?.copies ?? []).map(
    ({ inspection }, index) => ${answer})`;
}

/**
 * Records for a number of seconds, or until it is interrupted. In any case nothing of
 * it stays in the program.
 */
export async function record(
  session: Session,
  seconds: number,
  interrupted: Promise<never>,
): Promise<MergedTrace> {
  const ms = seconds * 1000 + GRACE_MS;
  const ids = await session.evaluate<(number | null)[]>(
    eachCopy(`inspection?.startTrace?.(${ms}) ?? null`),
  );
  if (ids.every((id) => id === null)) {
    throw new Failure(
      "The program has no @asyncio/asyncio that can record: it has to import the package itself, or its part `/debug`, of this version",
    );
  }
  const stop = eachCopy(
    `${JSON.stringify(ids)}[index] == null
      ? [] : inspection.stopTrace(${JSON.stringify(ids)}[index]) ?? []`,
  );
  let timer: ReturnType<typeof setTimeout> | undefined;
  const passed = new Promise((resolve) => {
    timer = setTimeout(resolve, seconds * 1000);
  });
  try {
    await Promise.race([passed, interrupted]);
  } catch (error) {
    clearTimeout(timer);
    await session.evaluate(stop);
    throw error;
  }
  const texts = await session.evaluate<string[][]>(stop);
  return merge(texts.flat().map((text): Trace => JSON.parse(text)));
}

/** Each loop is a process of the trace; numbers of pairs are not used twice. */
export function merge(traces: readonly Trace[]): MergedTrace {
  let used = 0;
  let dropped = 0;
  const traceEvents: Event[] = [];
  for (const [index, trace] of traces.entries()) {
    dropped += trace.otherData.dropped;
    let most = 0;
    for (const event of trace.traceEvents) {
      const own = { ...event, pid: index + 1 };
      most = Math.max(most, event.id ?? 0);
      traceEvents.push(
        event.id === undefined ? own : { ...own, id: event.id + used },
      );
    }
    used += most;
  }
  return {
    traceEvents,
    displayTimeUnit: "ms",
    otherData: { dropped, loops: traces.length },
  };
}

/** Writes it to a file; says how much it is. */
export async function write(file: string, trace: MergedTrace): Promise<string> {
  try {
    await writeFile(file, `${JSON.stringify(trace)}\n`);
  } catch (error) {
    throw new Failure(`Cannot write ${file}: ${(error as Error).message}`);
  }
  const { traceEvents: { length }, otherData: { dropped } } = trace;
  const more = dropped === 0
    ? ""
    : `, and dropped ${dropped} older ones for want of room`;
  return `wrote ${length} events to ${file}${more}; https://ui.perfetto.dev opens it`;
}
