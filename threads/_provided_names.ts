import { cancelSignal, checkCancelled } from "../tasks/cancel.ts";
import { PROVIDED } from "./_source.ts";
import { runCoroutineThreadsafe } from "./run_coroutine_threadsafe.ts";
import { transfer } from "./transfer.ts";

/** What is provided to a function in a worker, as it is in this thread. */
const functions: Readonly<
  Record<typeof PROVIDED[number], (...args: never) => unknown>
> = { cancelSignal, checkCancelled, runCoroutineThreadsafe, transfer };

/** What they are called in this program, by the order of PROVIDED. */
export function providedNames(): string[] {
  return PROVIDED.map((name) => functions[name].name);
}
