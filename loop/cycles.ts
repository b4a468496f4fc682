/**
 * Deadlocks in a program that goes on: tasks that wait for each other, by locks
 * they hold, tokens they have borrowed, and tasks whose end they wait for.
 *
 * A task can go on if one of its waits can end, and a wait can unless it needs
 * tasks that cannot: the holder of a lock, one of the borrowers, all tasks of a
 * group. Whatever anybody else may end, such as an event or a timeout, counts as
 * able to. Those that are left are stuck, and among them are the cycles.
 */
import { awaitedFuture, futureInternals } from "./future.ts";
import { waitsBelow } from "./hooks.ts";
import type { Kernel } from "./kernel.ts";
import { liveTasks } from "./live_tasks.ts";
import type { Scope } from "./scope.ts";
import { scopeOf, Task } from "./task.ts";
import type { Blockers, Wait } from "./wait.ts";
import { WaitQueue } from "./wait_queue.ts";

/** The tasks that cannot go on. */
export interface Stuck {
  /** Tasks that wait for each other, each for the next, the last for the first. */
  readonly cycles: readonly (readonly Task<unknown>[])[];
  /** These, and all that wait for them. */
  readonly tasks: ReadonlySet<Task<unknown>>;
}

/** A task, or what its wait needs, and whether it can go on. */
class Node {
  readonly task: Task<unknown> | null;
  /** How many of those it needs have to, before it can. */
  missing = 1;
  canGoOn = false;
  readonly needs: Node[] = [];
  readonly neededBy: Node[] = [];

  constructor(task: Task<unknown> | null) {
    this.task = task;
  }

  need(other: Node): void {
    this.needs.push(other);
    other.neededBy.push(this);
  }
}

/** Looks for tasks of a loop that wait for each other. */
export function findStuck(kernel: Kernel): Stuck {
  const nodes = new Graph(kernel).solve();
  const tasks = new Set<Task<unknown>>();
  for (const [task, node] of nodes) if (!node.canGoOn) tasks.add(task);
  return { cycles: cyclesAmong(nodes), tasks };
}

class Graph {
  readonly #tasks = new Map<Task<unknown>, Node>();
  /** By the source of the waits, which is the same for all that want a lock. */
  readonly #sources = new Map<object, Node | null>();
  /** Those that can go on, and whose dependents have not been told. */
  readonly #free: Node[] = [];
  readonly #limited: Task<unknown>[] = [];

  constructor(kernel: Kernel) {
    for (const task of liveTasks(kernel)) this.#tasks.set(task, new Node(task));
    for (const [task, node] of this.#tasks) this.#look(task, node);
    this.#freeLimited();
  }

  solve(): Map<Task<unknown>, Node> {
    for (let node = this.#free.pop(); node; node = this.#free.pop()) {
      for (const other of node.neededBy) {
        if (--other.missing <= 0) this.#release(other);
      }
    }
    return this.#tasks;
  }

  #look(task: Task<unknown>, node: Node): void {
    const scope = scopeOf(task);
    const waits = waitsBelow(scope);
    let canGoOn = waits.length === 0;
    for (const wait of waits) {
      if (hasDeadline(wait.scope)) {
        this.#limited.push(task);
        canGoOn = true;
      }
      const needed = wait.isReady() ? null : this.#neededBy(wait);
      if (needed === null) canGoOn = true;
      else node.need(needed);
    }
    if (canGoOn) this.#release(node);
  }

  /** What a wait needs; null if anything may end it. */
  #neededBy(wait: Wait<unknown>): Node | null {
    const future = awaitedFuture(wait);
    if (future instanceof Task) return this.#tasks.get(future) ?? null;
    const key = future ?? wait.source;
    let node = this.#sources.get(key);
    if (node === undefined) {
      node = this.#makeNode(wait);
      this.#sources.set(key, node);
    }
    return node;
  }

  #makeNode(wait: Wait<unknown>): Node | null {
    const found = blockersOf(wait);
    if (found === null) return null;
    const node = new Node(null);
    for (const task of found.tasks) {
      const needed = this.#tasks.get(task);
      if (needed !== undefined) node.need(needed);
      // One that has ended, or is of another loop, has left it to somebody.
      else if (!found.needsAll) return null;
    }
    if (node.needs.length === 0) return null;
    if (found.needsAll) node.missing = node.needs.length;
    return node;
  }

  /** What is cancelled with a block that has a deadline does not wait for ever. */
  #freeLimited(): void {
    if (this.#limited.length === 0) return;
    const below = new Map<Task<unknown>, Task<unknown>[]>();
    const shortcuts = new Map();
    for (const task of this.#tasks.keys()) {
      for (const each of futureInternals.awaiters(task, shortcuts)) {
        if (!(each instanceof Task)) continue;
        const awaited = below.get(each);
        if (awaited === undefined) below.set(each, [task]);
        else awaited.push(task);
      }
    }
    const reached = new Set(this.#limited);
    // What is added to the set on the way is looked at as well.
    for (const task of reached) {
      const node = this.#tasks.get(task);
      if (node !== undefined) this.#release(node);
      for (const each of below.get(task) ?? []) reached.add(each);
    }
  }

  #release(node: Node): void {
    if (node.canGoOn) return;
    node.canGoOn = true;
    this.#free.push(node);
  }
}

/** Whether only some tasks may be able to end a wait. */
export function needsSomebody({ source }: Wait<unknown>): boolean {
  return (source instanceof WaitQueue ? source.options : source).blockers !==
    undefined;
}

/** The tasks that alone can end a wait; none if anything else may. */
export function tasksNeededBy(wait: Wait<unknown>): readonly Task<unknown>[] {
  const future = awaitedFuture(wait);
  if (future instanceof Task) return [future];
  return [...blockersOf(wait)?.tasks ?? []];
}

/** Who alone can end a wait; null for anyone. */
function blockersOf(wait: Wait<unknown>): Blockers | null {
  const { source } = wait;
  if (!(source instanceof WaitQueue)) return source.blockers?.(wait) ?? null;
  const { owner, blockers } = source.options;
  return blockers?.(owner) ?? null;
}

function hasDeadline(scope: Scope): boolean {
  for (let each: Scope | null = scope; each !== null; each = each.parent) {
    if (each.hasDeadline()) return true;
    if (each.shielded) return false;
  }
  return false;
}

/** From each that is stuck one way leads on, and at last into a cycle. */
function cyclesAmong(
  nodes: ReadonlyMap<Task<unknown>, Node>,
): Task<unknown>[][] {
  const cycles: Task<unknown>[][] = [];
  const visited = new Set<Node>();
  for (const start of nodes.values()) {
    const way = new Map<Node, number>();
    let node: Node | undefined = start;
    while (node !== undefined && !node.canGoOn && !visited.has(node)) {
      visited.add(node);
      way.set(node, way.size);
      node = node.needs.find((each) => !each.canGoOn);
    }
    const first = node === undefined ? undefined : way.get(node);
    if (first === undefined) continue;
    cycles.push(
      [...way.keys()].slice(first).map(({ task }) => task)
        .filter((task) => task !== null),
    );
  }
  return cycles;
}
