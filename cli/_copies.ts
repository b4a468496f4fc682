/** Asks the copies of the library in the program, by a debugger's session. */
import type { InspectedLoop } from "../loop/inspection.ts";
import { Failure } from "./_failure.ts";
import type { Session } from "./_session.ts";

/** What this command line understands. */
const VERSION = 1;

/** A copy of the library in the program. */
export interface CopyFacts {
  /** Where it was loaded from. */
  readonly place: string;
  readonly loops: readonly InspectedLoop[];
}

interface Found {
  readonly place: string;
  readonly version: number | null;
  readonly loops: readonly InspectedLoop[];
}

/** Runs in the program: no more than an expression, and plain data as its value. */
function expression(answer: string): string {
  return `(globalThis[Symbol.for("@asyncio/asyncio/copies")]?.copies ?? []).map(
    ({ place, inspection }) => {
      const version = inspection === undefined ? null : inspection.version ?? 0;
      return { place, version, ...(version === ${VERSION} ? ${answer} : {}) };
    })`;
}

/** The copies, with at most `limit` tasks of each loop. */
export async function copiesIn(
  session: Session,
  limit: number,
): Promise<CopyFacts[]> {
  const found = await session.evaluate<Found[]>(
    expression(`{ loops: inspection.loops(${limit}) }`),
  );
  check(found);
  return found.map(({ place, loops = [] }) => ({ place, loops }));
}

/** Asks tasks to cancel; gives their names. */
export async function cancelIn(
  session: Session,
  task: string,
): Promise<string[]> {
  const found = await session.evaluate<(Found & { names?: string[] })[]>(
    expression(`{ names: inspection.cancel(${JSON.stringify(task)}) }`),
  );
  check(found);
  return found.flatMap(({ names = [] }) => names);
}

function check(found: readonly Found[]): void {
  if (found.length === 0) {
    throw new Failure(
      "The program has not loaded @asyncio/asyncio, or an older version of it",
    );
  }
  const other = found.find(({ version }) =>
    version !== null && version !== VERSION
  );
  if (other !== undefined) {
    throw new Failure(
      `The program has another version of @asyncio/asyncio, from ${other.place}: use the command line of that version`,
    );
  }
}
