/**
 * Takes a part of a program away in one moment, as the crash of its machine does:
 * no code of it runs again, not even a `finally`. Only a simulation of hosts
 * needs that.
 *
 * Code that is at a promise which is not the library's cannot be stopped. So
 * what is gone belongs to another loop from here on, which never runs: what such
 * code waits for next never comes, and a task that it makes never starts.
 */
import { CancelledError } from "../errors.ts";
import { UnmadeError } from "./cancel_request.ts";
import { Handle } from "./handle.ts";
import type { Kernel } from "./kernel.ts";
import { liveTasks } from "./live_tasks.ts";
import { nextBelow, reportThrown, Scope } from "./scope.ts";
import { endVanished, scopeOf } from "./task.ts";
import { Wait } from "./wait.ts";

/** Where what has vanished goes, and what belongs to it. */
export interface Vanishing {
  /** The kernel of a loop that never runs. */
  readonly limbo: Kernel;
  isGone(scope: Scope): boolean;
}

/**
 * All tasks, callbacks and timers of `kernel` whose scopes are gone are so from
 * here on. Who waits for one of the tasks and is not gone hears that it was
 * cancelled.
 */
export function vanish(kernel: Kernel, { limbo, isGone }: Vanishing): void {
  const tasks = liveTasks(kernel).filter((task) => isGone(scopeOf(task)));
  const scopes = tasks.flatMap((task) => scopesBelow(scopeOf(task)));
  for (const scope of scopes) {
    while (scope.waits !== null) forget(scope.waits);
  }
  for (const task of tasks) endVanished(task, new Vanished());
  for (const scope of scopes) scope.vanish(limbo);
  // Last, as what was forgotten may have given its turn to another one.
  kernel.takeOut((step) => {
    const { scope } = step;
    if (!(scope instanceof Scope)) return false;
    if (scope.kernel !== limbo && !isGone(scope)) return false;
    if (step instanceof Wait) forget(step);
    else if (step instanceof Handle) step.cancel();
    scope.vanish(limbo);
    return true;
  });
}

class Vanished extends UnmadeError {
  toError(): CancelledError {
    return new CancelledError("The host of the task has crashed");
  }
}

function scopesBelow(top: Scope): Scope[] {
  const scopes: Scope[] = [];
  for (
    let scope: Scope | null = top;
    scope !== null;
    scope = nextBelow(top, scope)
  ) scopes.push(scope);
  return scopes;
}

/** What is waited for need not tell it of anything. */
function forget(wait: Wait<unknown>): void {
  try {
    wait.vanish();
  } catch (error) {
    reportThrown(wait, error);
  }
}
