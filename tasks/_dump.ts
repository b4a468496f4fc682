/** What a signal of the system makes `run` write: its tasks, as they are now. */
import { allTasks } from "../loop/all_tasks.ts";
import { findStuck } from "../loop/cycles.ts";
import { describeCycle } from "../loop/deadlock.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import { kernelOf } from "../loop/kernel.ts";
import { taskTree } from "../loop/task_tree.ts";
import { hostProcess } from "../platform/process.ts";
import { hostSignals } from "../platform/signals.ts";
import type { SignalName } from "../platform/types/signals.ts";

/**
 * Writes the tree of a loop's tasks to stderr at each `signal`; the function it
 * returns ends that. Listening does not keep the program alive.
 */
export function dumpAt(signal: SignalName, loop: EventLoop): () => void {
  const listener = () => hostProcess.writeError(dump(signal, loop));
  hostSignals.addSignalListener(signal, listener, { keepsAlive: false });
  return () => hostSignals.removeSignalListener(signal, listener);
}

function dump(signal: SignalName, loop: EventLoop): string {
  const { cycles } = findStuck(kernelOf(loop));
  return [
    `The tasks of ${loop} at ${signal}:`,
    ...taskTree([...allTasks(loop)].reverse()),
    ...cycles.map(describeCycle),
  ].join("\n");
}
