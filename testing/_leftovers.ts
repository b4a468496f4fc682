import { checkOneOf } from "../_internal/check.ts";
import { oneLine } from "../_internal/show.ts";
import { InvalidStateError } from "../errors.ts";
import { allTasks } from "../loop/all_tasks.ts";
import { currentScope } from "../loop/current.ts";
import type { Task, TaskFunction } from "../loop/task.ts";
import { placeOf } from "../loop/whereabouts.ts";

/**
 * What becomes of the tasks that have not ended when a test has: they are
 * cancelled and awaited, or the test fails as well.
 */
export type Leftovers = "cancel" | "refuse";

const LEFTOVERS: readonly Leftovers[] = ["cancel", "refuse"];

/** The test, which throws at its end if it has to. */
export function watched<T>(
  action: string,
  fn: TaskFunction<T>,
  leftovers: Leftovers = "cancel",
): TaskFunction<T> {
  checkOneOf(action, "leftovers", leftovers, LEFTOVERS);
  if (leftovers === "cancel") return fn;
  return async () => {
    const result = await fn();
    const { task: own } = currentScope();
    const left = [...allTasks()].filter((task) => task !== own);
    if (left.length > 0) throw leftoverError(left);
    return result;
  };
}

function leftoverError(left: readonly Task<unknown>[]): InvalidStateError {
  const places = left.map((task) => {
    const { state, frames } = placeOf(task);
    const name = JSON.stringify(oneLine(task.name));
    return [`${name} ${state}`, ...frames].join("\n    ");
  });
  return new InvalidStateError(
    `Cannot end the test as some of its tasks have not ended: received\n  ${
      places.join("\n  ")
    }`,
  );
}
