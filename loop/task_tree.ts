/** Who awaits whom, as lines of text. */
import { type Future, futureInternals } from "./future.ts";
import { treeLines } from "./outline.ts";
import type { Task } from "./task.ts";
import { nameOf, stateOf } from "./whereabouts.ts";

/**
 * The tasks as a tree: each below those that await it.
 *
 * @param tasks In the order in which they are to be shown.
 */
export function taskTree(tasks: readonly Task<unknown>[]): string[] {
  const shortcuts = new Map();
  const awaited = new Map<Future<unknown>, Task<unknown>[]>();
  const roots = new Set<Task<unknown>>();
  for (const task of tasks) {
    const awaiters = futureInternals.awaiters(task, shortcuts);
    if (awaiters.size === 0) roots.add(task);
    for (const each of awaiters) {
      const below = awaited.get(each);
      if (below === undefined) awaited.set(each, [task]);
      else below.push(task);
    }
  }
  const lines = treeLines<Task<unknown>>(tasks, {
    isRoot: (task) => roots.has(task),
    below: (task) => awaited.get(task) ?? [],
    name: nameOf,
    state: stateOf,
  });
  return lines.length === 0 ? ["no tasks"] : lines;
}
