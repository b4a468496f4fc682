/** How code that runs on a simulated host gets that host to crash and start again. */
import { ContextVar } from "../loop/context.ts";
import { scopeOf, type Task } from "../loop/task.ts";

/** Set for all code of a host; the simulation's own function has none. */
export const crashOfCode: ContextVar<(() => void) | null> = new ContextVar<
  (() => void) | null
>("crash of the simulated host", { defaultValue: null });

/** What crashes the host that a task is on; `null` for a task on none. */
export function crashOf(task: Task<unknown>): (() => void) | null {
  const scope = scopeOf(task);
  return scope.hasVariables ? scope.context.run(() => crashOfCode.get()) : null;
}
