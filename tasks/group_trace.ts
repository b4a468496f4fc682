/** Groups for those who subscribe to `asyncio:group` of `node:diagnostics_channel`. */
import type { Task } from "../loop/task.ts";
import { TraceChannel } from "../loop/trace_channel.ts";

/**
 * A task group, as the channel `asyncio:group` tells of it: the same object in
 * all of its messages.
 */
export interface GroupTrace {
  /** The name it was given, or `TaskGroup`. */
  readonly name: string;
  /** The task whose block it is; null for code in no task. */
  readonly task: Task<unknown> | null;
  /** What `taskGroup` rejects with: there from `error` on. */
  readonly error?: unknown;
}

let channel: TraceChannel<GroupTrace> | null = null;

function openChannel(): TraceChannel<GroupTrace> {
  return channel ??= new TraceChannel("asyncio:group");
}

/** Whether anyone wants to hear of groups. */
export function areGroupsHeard(): boolean {
  return openChannel().isHeard;
}

/** Tells of a group that `run` runs. */
export async function traceGroup<T>(
  group: GroupTrace,
  run: () => Promise<T>,
): Promise<T> {
  const opened = openChannel();
  const trace: { -readonly [K in keyof GroupTrace]: GroupTrace[K] } = group;
  let isError = false;
  try {
    return await opened.begin(group, run);
  } catch (error) {
    trace.error = error;
    isError = true;
    throw error;
  } finally {
    opened.finish(group, isError);
  }
}
