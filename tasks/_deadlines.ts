/**
 * Which deadlines code is under: those of the blocks around it, and, in a task
 * that is cancelled with a block of another, those of the blocks around that.
 */
import { Scope } from "../loop/scope.ts";
import type { Task } from "../loop/task.ts";
import type { Timeout } from "./timeout.ts";

/** The scope of a block that may have a deadline. */
export class LimitedScope extends Scope {
  timeout: Timeout | null = null;

  constructor(around: Scope) {
    super(around.kernel, around, around.task, null, false);
  }

  override hasDeadline(): boolean {
    return (this.timeout?.when() ?? null) !== null;
  }
}

/** Where tasks belong that are cancelled with a block; most are in none. */
const places = new WeakMap<Task<unknown>, Scope>();

/** Whether `scope`, or a block around it, may have a deadline. */
export function isLimited(scope: Scope): boolean {
  for (let each: Scope | null = scope; each !== null; each = outward(each)) {
    if (each instanceof LimitedScope) return true;
  }
  return false;
}

/** `task` is cancelled with the block of `scope`, which is limited. */
export function belongsTo(task: Task<unknown>, scope: Scope): void {
  places.set(task, scope);
}

/** The timeouts that code running in `scope` is under, the innermost first. */
export function* timeoutsAround(scope: Scope): Iterable<Timeout> {
  for (let each: Scope | null = scope; each !== null; each = outward(each)) {
    if (each instanceof LimitedScope && each.timeout !== null) {
      yield each.timeout;
    }
  }
}

/** The scope whose cancellation reaches this one as well. */
function outward({ shielded, parent, task }: Scope): Scope | null {
  if (shielded) return null;
  if (parent !== null) return parent;
  return task === null ? null : places.get(task) ?? null;
}
