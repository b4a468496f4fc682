/**
 * The steps that wait for a future: mostly one, sometimes thousands, of which
 * each may leave at any time. They run in the order in which they came.
 */
import type { Runnable } from "./types.ts";

/** None, one, several; and a set once one leaves of many: no search for each. */
export type Steps = Runnable | Runnable[] | Set<Runnable> | null;

/** Of so few one is found at once. */
const FEW = 8;

export function addStep(steps: Steps, step: Runnable): Steps {
  if (steps === null) return step;
  if (steps instanceof Set) return steps.add(step);
  if (!Array.isArray(steps)) return [steps, step];
  steps.push(step);
  return steps;
}

export function removeStep(steps: Steps, step: Runnable): Steps {
  if (steps === step) return null;
  if (steps instanceof Set) {
    steps.delete(step);
    return steps.size === 0 ? null : steps;
  }
  if (!Array.isArray(steps)) return steps;
  if (steps.length > FEW) return removeStep(new Set(steps), step);
  const index = steps.indexOf(step);
  if (index >= 0) steps.splice(index, 1);
  return steps.length === 0 ? null : steps;
}

export function eachStep(steps: Steps): Iterable<Runnable> {
  if (steps === null) return [];
  return Array.isArray(steps) || steps instanceof Set ? steps : [steps];
}

/** Whether it is one step alone. */
export function isOneStep(steps: Steps): steps is Runnable {
  // Quicker than to ask for the classes of lists, as every future's end does.
  return steps !== null && (steps as Partial<Runnable>).run !== undefined;
}
