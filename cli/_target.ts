/** A program that is looked into, whichever way. */
import type { InspectedLoop } from "../loop/inspection.ts";
import type { Frame } from "./_blocked.ts";
import { Failure } from "./_failure.ts";
import type { Session } from "./_session.ts";

/** A copy of the library in the program. */
export interface CopyFacts {
  /** Where it was loaded from. */
  readonly place: string;
  /** The worker thread it is in; null for the main thread. */
  readonly thread: string | null;
  /**
   * What the ids of its tasks begin with, so that no other copy has the same:
   * nothing in the first copy of the main thread, `w2` in that of the second
   * worker thread, `c2` in the second copy.
   */
  readonly label: string;
  readonly loops: readonly InspectedLoop[];
}

/** What the copies have answered. */
export interface Facts {
  readonly copies: readonly CopyFacts[];
  /** What could not be asked, in sentences. */
  readonly notes: readonly string[];
}

/** What the commands ask. */
export interface Target {
  /** The debugger's session; null with an inspector of the program's own. */
  readonly session: Session | null;
  /** All copies, with at most `limit` tasks of each loop. */
  oldest(limit: number): Promise<Facts>;
  /** All copies, with the tasks of a name or an id and those that await them. */
  wanted(task: string): Promise<Facts>;
  /** Asks tasks to cancel; gives their names. */
  cancel(task: string): Promise<string[]>;
  /** The stack of what holds the loop; null if nothing does. */
  blocked(): Promise<Frame[] | null>;
  /** Lets go of the program, and closes what was opened for this. */
  detach(): Promise<void>;
}

/** What this command line understands: see `loop/inspection.ts`. */
export const VERSION = 2;

/** @throws {Failure} When an answer is of another version of the library. */
export function checkVersion(version: unknown, place: string): void {
  if (version === VERSION) return;
  throw new Failure(
    `The program has another version of @asyncio/asyncio, from ${place}: use the command line of that version`,
  );
}

/** The id of a task, as it is shown and asked for: `#3`, `#w2.3`. */
export function idText(label: string, id: number): string {
  return label === "" ? `#${id}` : `#${label}.${id}`;
}

/** The task that a copy is asked for; null if it is one of another copy. */
export function taskIn(label: string, task: string): string | null {
  const [, wanted = "", id] = /^#(?:([wc\d]+)\.)?(\d+)$/.exec(task) ?? [];
  if (id === undefined) return task;
  return wanted === label ? `#${id}` : null;
}

/** The number of the worker thread whose task is asked for; null for any. */
export function threadOf(task: string): string | null {
  return /^#w(\d+)(?:c\d+)?\.\d+$/.exec(task)?.[1] ?? null;
}
