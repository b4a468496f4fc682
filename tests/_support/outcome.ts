/** What the tests of locks and queues share. */
import type { Task } from "@asyncio/asyncio";

/** How a task ends: its result, or the name of its error; never throws. */
export async function outcome(task: Task<unknown>): Promise<unknown> {
  try {
    return await task;
  } catch (error) {
    return (error as Error).name;
  }
}

/** How several tasks end, in their order. */
export async function outcomes(
  tasks: readonly Task<unknown>[],
): Promise<unknown[]> {
  const ends: unknown[] = [];
  for (const task of tasks) ends.push(await outcome(task));
  return ends;
}

/** Lets so many microtasks run: finer than a turn of the loop. */
export async function hops(count: number): Promise<void> {
  while (count-- > 0) await undefined;
}

/** As many hops as bring any operation of the library from start to end. */
export const MANY_HOPS = 16;

/** What `console.log` shows of a value, on Deno and on Node. */
export function shown(value: object): string {
  const key = "Deno" in globalThis
    ? "Deno.customInspect"
    : "nodejs.util.inspect.custom";
  return (value as Record<symbol, () => string>)[Symbol.for(key)]!();
}

/** All that an iteration gives; Node 20 has no `Array.fromAsync`. */
export async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
