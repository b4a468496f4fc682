/**
 * What a task holds that ends with it, unless it goes on with the task's value:
 * a contender of `select` that returns an item of a durable queue has leased that
 * item for whoever called `select`.
 *
 * Who makes a task of a function, and passes its value on, hands on what comes
 * with it, in the step in which the task ends.
 */
import { type Future, futureInternals } from "./future.ts";
import type { Task } from "./task.ts";

/** Knows what tasks hold. */
export interface Holder {
  /** The value of `from` goes on to `to`, which is `null` outside of any task. */
  handOn(
    from: Future<unknown>,
    to: Task<unknown> | null,
    value: unknown,
  ): void;
}

/** null as long as there is none, as most programs have no such thing. */
let holders: WeakMap<Future<unknown>, Set<Holder>> | null = null;

/** `holder` is told of where the value of `task` goes. */
export function holdsFor(holder: Holder, task: Task<unknown>): void {
  holders ??= new WeakMap();
  const known = holders.get(task);
  if (known === undefined) holders.set(task, new Set([holder]));
  else known.add(holder);
}

/** Whoever called for `from`, which has ended with a value, gets that value. */
export function handOn(
  from: Future<unknown>,
  to: Task<unknown> | null,
): void {
  const known = holders?.get(from);
  if (known === undefined) return;
  const value = futureInternals.value(from);
  for (const holder of known) holder.handOn(from, to, value);
}
