/** Who awaits whom, as lines: for whoever looks in from outside. */
import { futureInternals } from "./future.ts";
import { indentation, levelOf } from "./outline.ts";
import type { Task } from "./task.ts";
import { nameOf, stateOf } from "./whereabouts.ts";

/**
 * The tasks as a tree: each below those that await it.
 *
 * @param tasks In the order in which they are to be shown.
 */
export function taskTree(tasks: readonly Task<unknown>[]): string[] {
  const shortcuts = new Map();
  const awaited = new Map<unknown, Task<unknown>[]>();
  const roots: Task<unknown>[] = [];
  for (const task of tasks) {
    const awaiters = futureInternals.awaiters(task, shortcuts);
    if (awaiters.size === 0) roots.push(task);
    for (const each of awaiters) {
      const below = awaited.get(each);
      if (below === undefined) awaited.set(each, [task]);
      else below.push(task);
    }
  }
  const shown = new Set<Task<unknown>>();
  const lines: string[] = [];
  for (const root of roots) growBranch(root, awaited, shown, lines);
  // Whoever is below no root awaits itself, by way of others.
  for (const task of tasks) {
    if (!shown.has(task)) growBranch(task, awaited, shown, lines);
  }
  return lines.length === 0 ? ["no tasks"] : lines;
}

/** A chain may be longer than the stack is deep: no calls in calls. */
function growBranch(
  root: Task<unknown>,
  awaited: ReadonlyMap<unknown, Task<unknown>[]>,
  shown: Set<Task<unknown>>,
  lines: string[],
): void {
  const way: Task<unknown>[] = [];
  const isOnWay = new Set<Task<unknown>>();
  const left = [{ task: root, depth: 0 }];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { task, depth } = next;
    while (way.length > depth) isOnWay.delete(way.pop()!);
    const title = `${twig(depth)}${levelOf(depth)}${nameOf(task)}`;
    if (shown.has(task)) {
      lines.push(`${title} (${isOnWay.has(task) ? "a cycle" : "shown above"})`);
      continue;
    }
    shown.add(task);
    way.push(task);
    isOnWay.add(task);
    lines.push(`${title}: ${stateOf(task)}`);
    const below = awaited.get(task) ?? [];
    for (let i = below.length - 1; i >= 0; i--) {
      left.push({ task: below[i]!, depth: depth + 1 });
    }
  }
}

function twig(depth: number): string {
  return depth === 0 ? "" : `${indentation(depth - 1, 3)}\u2514\u2500 `;
}
